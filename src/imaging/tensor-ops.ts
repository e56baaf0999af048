/** Whole-tensor operations along the batch, and element by element, in float32 as torch rounds them. */
import { tensor, type Tensor } from '../compute/tensor.js';

/** `count` rows of the batch from `start` on. */
export function takeRows(source: Tensor, start: number, count: number): Tensor {
  const row = rowLength(source);
  return tensor([count, ...source.shape.slice(1)], source.data.slice(start * row, (start + count) * row));
}

/** Where a batch of `rows` is cut at `index`, which counts from the end below 0: a row that there is. */
export function rowAt(rows: number, index: number): number {
  return Math.max(0, Math.min(rows - 1, index < 0 ? index + rows : index));
}

/** The rows of these numbers, in their order. */
export function pickRows(source: Tensor, rows: readonly number[]): Tensor {
  const length = rowLength(source);
  const data = new Float32Array(rows.length * length);
  rows.forEach((row, index) => {
    data.set(source.data.subarray(row * length, (row + 1) * length), index * length);
  });
  return tensor([rows.length, ...source.shape.slice(1)], data);
}

/** One batch after the other. Throws `RangeError` when their rows differ in shape. */
export function concatRows(first: Tensor, second: Tensor): Tensor {
  if (!sameRows(first, second)) {
    throw new RangeError(`can't put ${formatShape(second)} in one batch with ${formatShape(first)}`);
  }
  const data = new Float32Array(first.data.length + second.data.length);
  data.set(first.data);
  data.set(second.data, first.data.length);
  return tensor([batchOf(first) + batchOf(second), ...first.shape.slice(1)], data);
}

/** The whole batch `times` times over. */
export function repeatRows(source: Tensor, times: number): Tensor {
  return resizeBatch(source, batchOf(source) * times);
}

/** Exactly `count` rows: cut off, or begun again from the first (ComfyUI comfy/utils.py, repeat_to_batch_size). */
export function resizeBatch(source: Tensor, count: number): Tensor {
  const batch = batchOf(source);
  if (count === batch) return source;
  if (count < batch) return takeRows(source, 0, count);
  const data = new Float32Array(count * rowLength(source));
  for (let at = 0; at < data.length; at += source.data.length) {
    data.set(source.data.subarray(0, Math.min(source.data.length, data.length - at)), at);
  }
  return tensor([count, ...source.shape.slice(1)], data);
}

/** A new tensor with each value mapped; the result is rounded to float32. */
export function mapValues(source: Tensor, map: (value: number) => number): Tensor {
  return tensor(source.shape, source.data.map(map));
}

/**
 * Combines values of the same place; a batch of one goes with every row of the other. Throws `RangeError` when the shapes
 * don't match so.
 */
export function combineValues(a: Tensor, b: Tensor, combine: (a: number, b: number) => number): Tensor {
  const batch = Math.max(batchOf(a), batchOf(b));
  const fits = (batchOf(a) === batch || batchOf(a) === 1) && (batchOf(b) === batch || batchOf(b) === 1);
  if (!fits || !sameRows(a, b)) {
    throw new RangeError(`can't combine ${formatShape(a)} with ${formatShape(b)}`);
  }
  const result = tensor([batch, ...a.shape.slice(1)]);
  const [from, other, into] = [a.data, b.data, result.data];
  for (let i = 0; i < into.length; i++) {
    into[i] = combine(from[i % from.length]!, other[i % other.length]!);
  }
  return result;
}

/** a·(weight) + b·(1 − weight), each product rounded on its own, as torch's `mul` and `add` do. */
export function mixValues(a: Tensor, b: Tensor, weight: number): Tensor {
  const weightA = Math.fround(weight);
  const weightB = Math.fround(1 - weight);
  return combineValues(a, b, (x, y) => Math.fround(x * weightA) + Math.fround(y * weightB));
}

/** How many pictures or latents a tensor holds: its first side. */
export function batchOf(value: Tensor): number {
  return value.shape[0]!;
}

/** Whether one row of each has the same shape. */
export function sameRows(a: Tensor, b: Tensor): boolean {
  return (
    a.shape.length === b.shape.length &&
    a.shape.slice(1).every((extent, axis) => extent === b.shape[axis + 1])
  );
}

export function formatShape(value: Tensor): string {
  return `[${value.shape.join(', ')}]`;
}

function rowLength(value: Tensor): number {
  return value.shape.slice(1).reduce((product, extent) => product * extent, 1);
}
