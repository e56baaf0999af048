import { elementCount } from '../../compute/tensor.js';
import type { Weight } from '../../compute/weight.js';
import { ModelError } from '../model-error.js';

/** The rows of several weights, one after the other; each stays where it lies. Throws `ModelError` when rows differ in shape. */
export function joinedRows(name: string, parts: readonly Weight[]): Weight {
  const [first, ...others] = parts as readonly [Weight, ...Weight[]];
  if (others.length === 0) return first;
  const [, ...row] = first.shape;
  for (const { name: other, shape } of others) {
    if (shape.slice(1).join() === row.join()) continue;
    throw new ModelError(
      `${first.name} has rows of [${row.join(', ')}], ${other} of [${shape.slice(1).join(', ')}]`,
    );
  }
  const rowLength = elementCount(row);
  return {
    name,
    shape: [parts.reduce((sum, { shape }) => sum + shape[0]!, 0), ...row],
    parts,
    read(into) {
      let start = 0;
      for (const part of parts) {
        const end = start + part.shape[0]! * rowLength;
        part.read(into.subarray(start, end));
        start = end;
      }
    },
  };
}
