import type { ClipModel, ClipPart } from '../clip/clip-model.js';
import type { DiffusionModel } from '../diffusion-model.js';
import type { WeightSource } from '../weight-source.js';
import type { Adapter, AdapterReader } from './adapters/adapter.js';
import { differenceOf, replacementBy } from './adapters/direct.js';
import { readGloraAdapter } from './adapters/glora.js';
import { readLohaAdapter } from './adapters/loha.js';
import { readLokrAdapter } from './adapters/lokr.js';
import { readLoraAdapter } from './adapters/lora.js';
import { readBoftAdapter, readOftAdapter } from './adapters/oft.js';
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

/** Where several kinds claim one prefix, the last counts, as in ComfyUI's load_lora. */
const adapterReaders: readonly AdapterReader[] = [
  readLoraAdapter,
  readLohaAdapter,
  readLokrAdapter,
  readGloraAdapter,
  readOftAdapter,
  readBoftAdapter,
];

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

interface Change {
  readonly prefix: string;
  readonly target: LoraTarget;
  readonly adapter: Adapter;
}

/** The changes that the file describes, at most one a weight. */
function readChanges(file: LoraFile, keyMap: LoraKeyMap): Iterable<Change> {
  const changes = new Map<string, Change>();
  const add = (prefix: string, target: LoraTarget, adapter: Adapter): void => {
    changes.set(`${target.part}.${target.key}`, { prefix, target, adapter });
  };
  for (const [prefix, target] of keyMap) {
    const alpha = file.scalar(`${prefix}.alpha`);
    const doraScale = file.find(`${prefix}.dora_scale`);
    for (const read of adapterReaders) {
      const adapter = read(file, prefix, { alpha, doraScale });
      if (adapter !== undefined) add(prefix, target, adapter);
    }
    const bias = { ...target, key: target.key.replace(/\.weight$/, '.bias') };
    const norm = file.find(`${prefix}.w_norm`);
    if (norm !== undefined) {
      add(prefix, target, differenceOf(norm));
      const normBias = file.find(`${prefix}.b_norm`);
      if (normBias !== undefined) add(prefix, bias, differenceOf(normBias));
    }
    const difference = file.find(`${prefix}.diff`);
    if (difference !== undefined) add(prefix, target, differenceOf(difference));
    const biasDifference = file.find(`${prefix}.diff_b`);
    if (biasDifference !== undefined) add(prefix, bias, differenceOf(biasDifference));
    const replacement = file.find(`${prefix}.set_weight`);
    if (replacement !== undefined) add(prefix, target, replacementBy(replacement));
  }
  return changes.values();
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
