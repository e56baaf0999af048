import { elementCount } from '../../compute/tensor.js';
import type { Weight } from '../../compute/weight.js';
import * as addon from '../../native/addon.js';
import { readValues } from './lora-file.js';

export interface Decomposition {
  /** The learned magnitudes: [out, 1, …], [1, in, 1, …], or of another shape that the weight's can be repeated from. */
  readonly doraScale: Weight;
  /** Factor of the difference: alpha / rank. */
  readonly scale: number;
  readonly strength: number;
}

/** Why magnitudes don't fit a weight of that shape; nothing when they do, or there are none. */
export function decompositionMismatch(
  doraScale: Weight | undefined,
  shape: readonly number[],
): string | undefined {
  if (doraScale === undefined) return undefined;
  const { shape: ours } = doraScale;
  const repeats = ours.every((extent, axis) => [1, shape.at(axis - ours.length)].includes(extent));
  const hasAxis = magnitudeAxis(doraScale, shape) < shape.length;
  if (ours.length > 0 && ours.length <= shape.length && repeats && hasAxis) return undefined;
  return `its dora_scale is [${ours.join(', ')}], the weight is [${shape.join(', ')}]`;
}

function magnitudeAxis(doraScale: Weight, shape: readonly number[]): 0 | 1 {
  return doraScale.shape[0] === shape[0] ? 0 : 1;
}

/**
 * DoRA: the changed weight is rescaled to learned magnitudes for each output or each input (ComfyUI
 * comfy/weight_adapter/base.py, weight_decompose; for outputs it divides by the norms of the unchanged weight).
 * Changes `values` in place; `change` is used up.
 */
export function decompose(
  values: Float32Array,
  shape: readonly number[],
  change: Float32Array,
  decomposition: Decomposition,
): void {
  const { doraScale, scale, strength } = decomposition;
  const axis = magnitudeAxis(doraScale, shape);
  const usual = shape.map((extent, index) => (index === axis ? extent : 1));
  if (doraScale.shape.join() !== usual.join()) {
    decomposeRepeating(values, shape, change, decomposition);
    return;
  }
  const groups = axis === 0 ? 1 : shape[0]!;
  const inner = elementCount(shape.slice(axis + 1));
  addon.decompose(values, change, readValues(doraScale), groups, inner, axis === 0, scale, strength);
}

/** torch.finfo(torch.float32).eps */
const epsilon = 2 ** -23;

/** The same with magnitudes of any shape, each rounding as torch's. */
function decomposeRepeating(
  values: Float32Array,
  shape: readonly number[],
  change: Float32Array,
  { doraScale, scale, strength }: Decomposition,
): void {
  const axis = magnitudeAxis(doraScale, shape);
  const inner = elementCount(shape.slice(axis + 1));
  const channel = (index: number) => Math.floor(index / inner) % shape[axis]!;
  const factor = Math.fround(scale);
  for (let index = 0; index < values.length; index++) {
    change[index] = values[index]! + Math.fround(factor * change[index]!);
  }
  const squares = new Float64Array(shape[axis]!);
  const normed = axis === 0 ? values : change;
  for (let index = 0; index < values.length; index++) squares[channel(index)]! += normed[index]! ** 2;
  const norms = Float32Array.from(squares, (square) => Math.fround(Math.sqrt(square)) + epsilon);

  const magnitudes = readValues(doraScale);
  const steps = repeatingSteps(doraScale.shape, shape);
  const [share, at] = [Math.fround(strength), shape.map(() => 0)];
  let from = 0;
  for (let index = 0; index < values.length; index++) {
    const rescaled = Math.fround(change[index]! * Math.fround(magnitudes[from]! / norms[channel(index)]!));
    const before = values[index]!;
    values[index] = strength === 1 ? rescaled : before + Math.fround(share * Math.fround(rescaled - before));
    for (let each = shape.length - 1; each >= 0; each--) {
      from += steps[each]!;
      if (++at[each]! < shape[each]!) break;
      from -= steps[each]! * shape[each]!;
      at[each] = 0;
    }
  }
}

/** How far apart neighbours along each axis of `shape` are in an array of `from` that is repeated to it. */
function repeatingSteps(from: readonly number[], shape: readonly number[]): number[] {
  let step = 1;
  return shape
    .toReversed()
    .map((_, index) => {
      const extent = from.at(-1 - index) ?? 1;
      const own = extent === 1 ? 0 : step;
      step *= extent;
      return own;
    })
    .toReversed();
}
