/** Conditionings made ready for one run: sizes, masks, noise levels and network inputs are known (ComfyUI process_conds). */
import type { Tensor } from '../compute/tensor.js';
import { roundHalfEven } from '../imaging/rounding.js';
import type { Area, Conditioning, ConditioningEntry, PromptRole } from '../models/denoiser/conditioning.js';
import type { Control } from '../models/denoiser/control.js';
import type { RandomSource } from '../models/denoiser/denoiser.js';
import { prepareInputs } from '../models/denoiser/denoiser-input.js';
import type { NetworkInputs } from '../models/denoiser/network-inputs.js';
import type { HookGroup } from '../models/weights/hooks.js';
import type { Grounding } from '../models/denoiser/grounding.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import { boundsOf, fitConditioningMask, type LatentArea } from './masks.js';

/** One entry of a conditioning. */
export interface Condition {
  /** What the network is given beside the noised latent, a row or more each, of the whole latent. */
  readonly inputs: NetworkInputs;
  readonly control?: Control;
  readonly controlsOthers: boolean;
  /** The part of the latent that it is about; all of it when left out. */
  readonly area?: LatentArea;
  /** N×h×w, of the whole latent. */
  readonly mask?: Tensor;
  readonly maskStrength: number;
  readonly strength: number;
  /** Noise levels, both included, between which it counts. */
  readonly sigmas: { readonly highest: number; readonly lowest: number };
  /** What lies where. */
  readonly grounding?: Grounding;
  /** Change the network's weights for it. */
  readonly hooks?: HookGroup;
  /** It counts where the others of its prompt leave room. */
  readonly isDefault: boolean;
}

/** A list of entries whose predictions are averaged, and whose prompt it is. */
export interface PromptInput {
  readonly conditioning: Conditioning;
  readonly role: PromptRole;
}

/** What a run samples. */
export interface LatentInput {
  readonly model: DiffusionModel;
  /** N×C×h×w in the model's space: the picture that the noise is put on, or zeros. */
  readonly latent: Tensor;
  /** N×1×h×w, 1 where it is sampled. */
  readonly noiseMask?: Tensor | undefined;
  /** Of the noise; for inputs that are noised. */
  readonly seed?: bigint | undefined;
  /** For models that draw at each evaluation. */
  readonly random?: RandomSource | undefined;
  /** The highest noise level of the run; infinite when left out. */
  readonly highestSigma?: number | undefined;
}

/** Makes several prompts ready for one run; each area in one has a counterpart in the others. */
export function prepareConditions(
  prompts: readonly PromptInput[],
  input: LatentInput,
): readonly (readonly Condition[])[] {
  const lists = prompts.map(({ conditioning, role }) =>
    conditioning.map((entry) => prepareCondition(entry, role, input)),
  );
  for (const list of lists) {
    for (const condition of list) {
      for (const other of lists) if (other !== list) addCounterpart(other, condition);
    }
  }
  const [positive, ...others] = lists;
  for (const list of others) {
    if (positive === undefined) continue;
    shareWithOthers(
      'control',
      positive.filter(({ controlsOthers }) => controlsOthers),
      list,
    );
    shareWithOthers('grounding', positive, list);
  }
  return lists;
}

/**
 * What entries of the first prompt have of a kind, another has as well where none of its own has it; entries of areas are left out (ComfyUI
 * apply_empty_x_to_equal_area).
 */
function shareWithOthers(
  kind: 'control' | 'grounding',
  positive: readonly Condition[],
  list: Condition[],
): void {
  const shared = positive.flatMap((entry) =>
    entry.area === undefined && entry[kind] !== undefined ? [{ [kind]: entry[kind] }] : [],
  );
  const places = list.flatMap(({ area }, index) => (area === undefined ? [index] : []));
  const hasOwn = places.some((place) => list[place]![kind] !== undefined);
  if (hasOwn || places.length === 0) return;
  shared.forEach((given, index) => {
    const place = places[index % places.length]!;
    const entry = list[place]!;
    // An entry that has got one stays; a further one is a further entry.
    if (entry[kind] === undefined) list[place] = { ...entry, ...given };
    else list.push({ ...entry, ...given });
  });
}

function prepareCondition(entry: ConditioningEntry, role: PromptRole, input: LatentInput): Condition {
  const { model, latent, noiseMask, seed = 0n } = input;
  const [height = 1, width = 1] = latent.shape.slice(-2);
  const mask = entry.mask === undefined ? undefined : fitConditioningMask(entry.mask, height, width);
  const area =
    mask !== undefined && entry.setAreaToBounds === true
      ? boundsOf(mask)
      : entry.area === undefined
        ? undefined
        : inLatentPixels(entry.area, height, width);
  const { latentFormat, sampling } = model;
  const { levels } = sampling;
  return {
    inputs: prepareInputs(model.inputs, entry, { role, latent, noiseMask, latentFormat, seed }),
    ...(entry.control === undefined ? {} : { control: entry.control }),
    controlsOthers: entry.controlsOthers === true,
    ...(entry.grounding === undefined ? {} : { grounding: entry.grounding }),
    ...(area === undefined ? {} : { area }),
    ...(mask === undefined ? {} : { mask }),
    maskStrength: entry.maskStrength ?? 1,
    strength: entry.strength ?? 1,
    sigmas: sigmasOf(entry, levels),
    ...(entry.hooks === undefined ? {} : { hooks: entry.hooks }),
    isDefault: entry.isDefault === true,
  };
}

/** calculate_start_end_timesteps. */
function sigmasOf(
  { startPercent, endPercent, textStartPercent, textEndPercent }: ConditioningEntry,
  levels: DiffusionModel['sampling']['levels'],
): Condition['sigmas'] {
  const start = textStartPercent === undefined ? startPercent : Math.max(textStartPercent, startPercent ?? 0);
  const end = textEndPercent === undefined ? endPercent : Math.min(textEndPercent, endPercent ?? 1);
  return {
    highest: start === undefined ? Infinity : levels.percentToSigma(start),
    lowest: end === undefined ? 0 : levels.percentToSigma(end),
  };
}

function inLatentPixels({ unit, ...area }: Area, height: number, width: number): LatentArea {
  if (unit === 'pixel') return area;
  return {
    height: Math.max(1, roundHalfEven(area.height * height)),
    width: Math.max(1, roundHalfEven(area.width * width)),
    y: roundHalfEven(area.y * height),
    x: roundHalfEven(area.x * width),
  };
}

/**
 * Gives `list` an entry for the area of `condition`, with the inputs of the smallest entry around it, so that both halves
 * of guidance see the same part (ComfyUI create_cond_with_same_area_if_none).
 */
function addCounterpart(list: Condition[], condition: Condition): void {
  const { area } = condition;
  if (area === undefined) return;
  let smallest: Condition | undefined;
  for (const candidate of list) {
    if (candidate.area === undefined) smallest ??= candidate;
    else if (contains(candidate.area, area) && isSmaller(candidate.area, smallest)) smallest = candidate;
  }
  if (smallest === undefined) return;
  if (smallest.area !== undefined && isSame(smallest.area, area)) return;
  list.push({ ...condition, inputs: smallest.inputs });
}

function isSmaller(area: LatentArea, than: Condition | undefined): boolean {
  return than?.area === undefined || than.area.height * than.area.width > area.height * area.width;
}

function contains(outer: LatentArea, inner: LatentArea): boolean {
  return (
    inner.y >= outer.y &&
    inner.x >= outer.x &&
    inner.y + inner.height <= outer.y + outer.height &&
    inner.x + inner.width <= outer.x + outer.width
  );
}

function isSame(a: LatentArea, b: LatentArea): boolean {
  return a.height === b.height && a.width === b.width && a.y === b.y && a.x === b.x;
}
