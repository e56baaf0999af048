import type { ClipModel, ClipPart } from '../clip/clip-model.js';
import type { DiffusionModel } from '../diffusion-model.js';
import type { WeightSource } from '../weight-source.js';
import { readChanges, type Change } from './changes.js';
import { addClipKeys, addUnetKeys, type LoraKeyMap, type LoraTarget } from './key-map.js';
import { LoraFile } from './lora-file.js';
import type { WeightPatch, WeightPatches } from './patches.js';

/** What a LoRA is put on; either may be missing. */
export interface LoraTargets {
  readonly model?: DiffusionModel | undefined;
  readonly clip?: ClipModel | undefined;
}

export interface LoraStrengths {
  readonly model: number;
  readonly clip: number;
}

/** A model or text encoder with the LoRA on it, and what of the file found no place. */
export interface LoraResult extends LoraTargets {
  /** How many weights are changed. */
  readonly patched: number;
  /** One line for each kind of trouble, for a person; the LoRA's other keys are applied all the same. */
  readonly warnings: readonly string[];
}

/**
 * Puts a LoRA on a model and its text encoders, on top of what they carry already (ComfyUI comfy/sd.py,
 * load_lora_for_models). Factors are read when the weights that they change are loaded. `name` is for the warnings.
 * Throws `ModelError` when half of a pair of factors is missing.
 */
export function applyLora(
  name: string,
  weights: WeightSource,
  targets: LoraTargets,
  strengths: LoraStrengths,
): LoraResult {
  const file = new LoraFile(weights);
  const keyMap: LoraKeyMap = new Map();
  if (targets.model !== undefined) addUnetKeys(keyMap, targets.model.unet, targets.model.weights);
  if (targets.clip !== undefined) addClipKeys(keyMap, targets.clip.weights);

  const patches = new Map<LoraTarget['part'], Map<string, WeightPatch[]>>();
  const misfits: string[] = [];
  for (const change of readChanges(file, keyMap)) {
    const { part, key } = change.target;
    const source = part === 'unet' ? targets.model?.weights : targets.clip?.weights[part];
    if (source?.has(key) !== true) {
      misfits.push(`${change.prefix} (there is no ${key})`);
      continue;
    }
    const fault = change.adapter.mismatch(source.weight(key).shape);
    if (fault !== undefined) {
      misfits.push(`${change.prefix} (${fault})`);
      continue;
    }
    const strength = part === 'unet' ? strengths.model : strengths.clip;
    const partPatches = patches.get(part) ?? new Map<string, WeightPatch[]>();
    patches.set(part, partPatches.set(key, [patchOf(file, change, strength)]));
  }

  const { model, clip } = targets;
  const unetPatches = patches.get('unet');
  const clipPatches: Partial<Record<ClipPart, WeightPatches>> = {};
  for (const [part, partPatches] of patches) if (part !== 'unet') clipPatches[part] = partPatches;
  const patched = [...patches.values()].reduce((sum, partPatches) => sum + partPatches.size, 0);
  return {
    model: unetPatches === undefined ? model : model?.withPatches(unetPatches),
    clip: Object.keys(clipPatches).length === 0 ? clip : clip?.withPatches(clipPatches),
    patched,
    warnings: warningsOf(name, weights, file, patched, misfits),
  };
}

function patchOf(file: LoraFile, { prefix, adapter }: Change, strength: number): WeightPatch {
  return {
    identity: `${file.identity} ${prefix} ${strength}`,
    apply: (values, shape) => {
      adapter.apply(values, shape, strength);
    },
  };
}

function warningsOf(
  name: string,
  weights: WeightSource,
  file: LoraFile,
  patched: number,
  misfits: readonly string[],
): string[] {
  const unmatched = file.untaken();
  const warnings: string[] = [];
  if (patched === 0 && misfits.length === 0) {
    const [first = 'none'] = weights.keys();
    warnings.push(
      `LoRA ${name} changes nothing: none of its ${unmatched.length} keys names a layer of this model (the first is ${first}); it was made for another family`,
    );
  } else if (unmatched.length > 0) {
    warnings.push(
      `LoRA ${name}: ${unmatched.length} keys name no layer of this model and are left out: ${listed(unmatched)}`,
    );
  }
  if (misfits.length > 0) {
    warnings.push(`LoRA ${name}: ${misfits.length} changes don't fit and are left out: ${listed(misfits)}`);
  }
  return warnings;
}

function listed(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(', ');
  return items.length > 3 ? `${shown}, …` : shown;
}
