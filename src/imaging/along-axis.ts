/** Tensors cut and joined along any axis. */
import { tensor, type Tensor } from '../compute/tensor.js';
import { formatShape } from './tensor-ops.js';

/** Values that lie together in one place of `axis`, and all before it. */
function around({ shape }: Tensor, axis: number): readonly [before: number, inner: number] {
  const product = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1);
  return [product(shape.slice(0, axis)), product(shape.slice(axis + 1))];
}

/** `count` places of an axis from `from` on. */
export function partAlong(source: Tensor, axis: number, from: number, count: number): Tensor {
  const [before, inner] = around(source, axis);
  const line = source.shape[axis]! * inner;
  const result = tensor(source.shape.map((extent, at) => (at === axis ? count : extent)));
  for (let row = 0; row < before; row++) {
    const start = row * line + from * inner;
    result.data.set(source.data.subarray(start, start + count * inner), row * count * inner);
  }
  return result;
}

/** Two tensors, one behind the other along an axis. Throws `RangeError` when they differ along another axis. */
export function joinedAlong(parts: readonly [Tensor, Tensor], axis: number): Tensor {
  const [first, second] = parts;
  const fit = first.shape.every((extent, at) => at === axis || extent === second.shape[at]);
  if (!fit || first.shape.length !== second.shape.length) {
    throw new RangeError(`can't put ${formatShape(first)} and ${formatShape(second)} side by side`);
  }
  const [before, inner] = around(first, axis);
  const lines = parts.map(({ shape }) => shape[axis]! * inner);
  const total = lines[0]! + lines[1]!;
  const result = tensor(first.shape.map((extent, at) => (at === axis ? total / inner : extent)));
  parts.forEach(({ data }, index) => {
    const line = lines[index]!;
    for (let row = 0; row < before; row++) {
      result.data.set(
        data.subarray(row * line, (row + 1) * line),
        row * total + (index === 0 ? 0 : lines[0]!),
      );
    }
  });
  return result;
}
