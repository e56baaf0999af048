import type { DiffusionModel, WeightRows } from '../denoiser/diffusion-model.js';
import type { TextEncoders } from '../text/text-encoders.js';
import type { HookedDenoiser, HookedText } from '../weights/hooks.js';
import type { WeightPatch, WeightPatches } from '../weights/weight-patches.js';
import type { WeightSource } from '../weights/weight-source.js';
import { readChanges, type Change } from './changes.js';
import { addDenoiserKeys, addTextKeys, type LoraKeyMap } from './key-map.js';
import { LoraFile } from './lora-file.js';

/** What a LoRA is put on; either may be missing. */
export interface LoraTargets {
  readonly model?: DiffusionModel | undefined;
  readonly clip?: TextEncoders | undefined;
}

export interface LoraStrengths {
  readonly model: number;
  readonly clip: number;
}

/** A model and text encoders with the LoRA on them, and what of the file found no place. */
export interface LoraResult<Targets extends LoraTargets = LoraTargets> {
  readonly model: Targets['model'];
  readonly clip: Targets['clip'];
  /** How many weights the file names. */
  readonly matched: number;
  /** One line for each kind of trouble, for a person; the LoRA's other keys are applied all the same. */
  readonly warnings: readonly string[];
}

type Both = Required<{ [Name in keyof LoraTargets]: NonNullable<LoraTargets[Name]> }>;

/**
 * Puts a LoRA on a model and its text encoders, on top of what they carry already (ComfyUI comfy/sd.py,
 * load_lora_for_models). Factors are read when the weights that they change are loaded. `name` is for the warnings.
 * Throws `ModelError` when half of a pair of factors is missing.
 */
export function applyLora(
  name: string,
  weights: WeightSource,
  targets: Both,
  strengths: LoraStrengths,
): LoraResult<Both>;
export function applyLora(
  name: string,
  weights: WeightSource,
  targets: Pick<Both, 'model'>,
  strengths: LoraStrengths,
): LoraResult<Pick<Both, 'model'>>;
export function applyLora(
  name: string,
  weights: WeightSource,
  targets: LoraTargets,
  strengths: LoraStrengths,
): LoraResult {
  const { model, clip } = targets;
  const { denoiser, text, matched, warnings } = loraPatches(name, weights, targets, strengths);
  return {
    model: denoiser === undefined ? model : model?.withPatches(denoiser),
    clip: Object.keys(text).length === 0 ? clip : clip?.withPatches(text),
    matched,
    warnings,
  };
}

/** What a LoRA changes. */
export interface LoraPatches {
  /** Undefined where nothing of the denoiser is changed. */
  readonly denoiser: WeightPatches | undefined;
  /** Of those encoders that are changed. */
  readonly text: Readonly<Record<string, WeightPatches>>;
  readonly matched: number;
  readonly warnings: readonly string[];
}

/** The patches that `applyLora` puts on a model and its text encoders. */
export function loraPatches(
  name: string,
  weights: WeightSource,
  targets: { readonly model?: HookedDenoiser | undefined; readonly clip?: HookedText | undefined },
  strengths: LoraStrengths,
): LoraPatches {
  const { model, clip } = targets;
  const file = new LoraFile(weights);
  const keyMap: LoraKeyMap = new Map();
  if (model !== undefined) addDenoiserKeys(keyMap, model);
  if (clip !== undefined) addTextKeys(keyMap, clip);

  /** By text encoder; the denoiser's have no name. */
  const patches = new Map<string | undefined, Map<string, WeightPatch[]>>();
  const misfits: string[] = [];
  let matched = 0;
  for (const change of readChanges(file, keyMap)) {
    const { encoder, key, rows } = change.target;
    const source = encoder === undefined ? model?.weights : clip?.weights[encoder];
    if (source?.has(key) !== true) {
      misfits.push(`${change.prefix} (there is no ${key})`);
      continue;
    }
    const { shape } = source.weight(key);
    if (rows !== undefined && rows.start + rows.count > shape[0]!) {
      misfits.push(`${change.prefix} (${key} has ${shape[0]} rows)`);
      continue;
    }
    const fault = change.adapter.mismatch(rows === undefined ? shape : [rows.count, ...shape.slice(1)]);
    if (fault !== undefined) {
      misfits.push(`${change.prefix} (${fault})`);
      continue;
    }
    matched++;
    const strength = encoder === undefined ? strengths.model : strengths.clip;
    if (strength === 0 && change.adapter.replaces !== true) continue;
    const partPatches = patches.get(encoder) ?? new Map<string, WeightPatch[]>();
    const patch = patchOf(file, change, strength);
    const whole = rows === undefined ? patch : patchOfRows(patch, rows);
    patches.set(encoder, partPatches.set(key, [...(partPatches.get(key) ?? []), whole]));
  }

  const text: Record<string, WeightPatches> = {};
  for (const [encoder, partPatches] of patches) if (encoder !== undefined) text[encoder] = partPatches;
  const unmatched = unmatchedKeys(file, { hasModel: model !== undefined, hasClip: clip !== undefined });
  return {
    denoiser: patches.get(undefined),
    text,
    matched,
    warnings: warningsOf(name, unmatched, matched, misfits),
  };
}

function patchOf(file: LoraFile, { prefix, adapter }: Change, strength: number): WeightPatch {
  return {
    identity: `${file.identity} ${prefix} ${strength}`,
    apply: (values, shape) => {
      adapter.apply(values, shape, strength);
    },
    product: adapter.product && { ...adapter.product, factor: strength * adapter.product.factor },
  };
}

/** A patch of some rows as one of all. */
function patchOfRows(patch: WeightPatch, { start, count }: WeightRows): WeightPatch {
  const { product } = patch;
  return {
    identity: `${patch.identity} ${start}+${count}`,
    apply(values, shape) {
      const row = values.length / shape[0]!;
      patch.apply(values.subarray(start * row, (start + count) * row), [count, ...shape.slice(1)]);
    },
    product: product && { ...product, rows: { start, count } },
  };
}

/** Keys that name no layer, but for those of parts that the LoRA isn't put on. */
function unmatchedKeys(
  file: LoraFile,
  { hasModel, hasClip }: { readonly hasModel: boolean; readonly hasClip: boolean },
): string[] {
  return file.untaken().filter((key) => {
    if (!hasClip && /^(lora_te|lora_prior_te|text_encoder)/.test(key)) return false;
    return !(!hasModel && /^(lora_unet|unet\.|diffusion_model\.|lycoris_)/.test(key));
  });
}

/** Attention's layers under diffusers' names without `processor.`, which ComfyUI's comfy/lora.py doesn't map. */
const attentionOfPeft = /(^|\.)(down_blocks|mid_block|up_blocks)\..*\.attn[12]\.to_(q|k|v|out)\b/;

function warningsOf(
  name: string,
  unmatched: readonly string[],
  matched: number,
  misfits: readonly string[],
): string[] {
  const warnings: string[] = [];
  const ignored = unmatched.filter((key) => attentionOfPeft.test(key));
  if (ignored.length > 0) {
    warnings.push(
      `LoRA ${name}: ${ignored.length} keys name attention layers as PEFT and diffusers do, which ComfyUI ignores, and are left out, too: ${listed(ignored)}; converted to kohya's names (lora_unet_…) they would count`,
    );
  } else if (matched === 0 && misfits.length === 0) {
    warnings.push(
      `LoRA ${name} changes nothing: none of its keys names a layer of this model; it was made for another family (${listed(unmatched)})`,
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
