import { elementCount } from '../../compute/tensor.js';
import type { Weight } from '../../compute/weight.js';
import * as addon from '../../native/addon.js';
import { readValues } from './lora-file.js';

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
  const axis = magnitudeAxis(doraScale, shape);
  const groups = axis === 0 ? 1 : shape[0]!;
  const inner = elementCount(shape.slice(axis + 1));
  addon.decompose(values, change, readValues(doraScale), groups, inner, axis === 0, scale, strength);
}
