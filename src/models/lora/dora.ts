import type { Weight } from '../../compute/weight.js';
import { readValues } from './lora-file.js';

const epsilon = 2 ** -23;

export interface Decomposition {
  /** The learned magnitudes, [out, 1, …] or [1, in, 1, …]. */
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
  const axis = magnitudeAxis(doraScale, shape);
  const expected = shape.map((extent, index) => (index === axis ? extent : 1));
  if (doraScale.shape.join() === expected.join()) return undefined;
  return `its dora_scale is [${doraScale.shape.join(', ')}], the weight is [${shape.join(', ')}]`;
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
  { doraScale, scale, strength }: Decomposition,
): void {
  const factor = Math.fround(scale);
  for (let i = 0; i < values.length; i++) change[i] = values[i]! + Math.fround(factor * change[i]!);
  const magnitudes = readValues(doraScale);
  const axis = magnitudeAxis(doraScale, shape);
  // Elements between neighbours along the axis, and groups of them.
  const stride = shape.slice(axis + 1).reduce((product, extent) => product * extent, 1);
  const norms = normsAlong(axis === 0 ? values : change, shape[axis]!, stride);
  const rescale = Float32Array.from(
    norms,
    (norm, index) => magnitudes[index]! / Math.fround(Math.fround(norm) + epsilon),
  );
  const rounded = Math.fround(strength);
  for (let i = 0, run = 0; i < values.length; run = (run + 1) % rescale.length) {
    const ratio = rescale[run]!;
    for (const end = i + stride; i < end; i++) {
      const decomposed = Math.fround(change[i]! * ratio);
      if (strength === 1) values[i] = decomposed;
      else values[i]! += Math.fround(rounded * Math.fround(decomposed - values[i]!));
    }
  }
}

/** Euclidean norms of the slices for each of `extent` indices of an axis whose neighbours lie `stride` apart. */
function normsAlong(values: Float32Array, extent: number, stride: number): Float64Array {
  const squares = new Float64Array(extent);
  for (let i = 0, run = 0; i < values.length; run = (run + 1) % extent) {
    let sum = 0;
    for (const end = i + stride; i < end; i++) sum += values[i]! * values[i]!;
    squares[run]! += sum;
  }
  return squares.map(Math.sqrt);
}
