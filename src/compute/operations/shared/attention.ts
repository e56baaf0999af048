/** What the kinds of attention have in common. */
import { formatShape, sameDim, sameShape, type Shape } from '../../dim.js';
import { shapeOf, type NodeBuilder } from '../../node-builder.js';
import type { Value } from '../../value.js';

/** For each score: scale, maximum, difference, exponential, sum, quotient. */
export const SOFTMAX_FLOPS = 6;

/** Operands are N×T×(heads·d) and agree; keys and values may have fewer heads that the query's share evenly. */
export function checkAttention(
  graph: NodeBuilder<never>,
  query: Value,
  key: Value,
  value: Value,
  heads: number,
  keyHeads = heads,
): void {
  const [batch, , features] = shapeOf(graph, query, 3, 'attention');
  const [keyBatch, keyTokens, keyFeatures] = shapeOf(graph, key, 3, 'attention');
  const [valueBatch, valueTokens, valueFeatures] = shapeOf(graph, value, 3, 'attention');
  const shapes = [query, key, value].map((operand) => formatShape(operand.shape)).join(', ');
  graph.check(
    sameDim(batch, keyBatch) && sameDim(batch, valueBatch) && sameDim(keyTokens, valueTokens),
    `attention's operands disagree: ${shapes}`,
  );
  graph.check(
    typeof features === 'number' &&
      features % heads === 0 &&
      heads % keyHeads === 0 &&
      (features / heads) * keyHeads === keyFeatures &&
      keyFeatures === valueFeatures,
    `attention with ${heads} heads can't split ${shapes}`,
  );
}

/** A bias is N|1 × heads|1 × Tq|1 × Tk. */
export function checkBias(
  graph: NodeBuilder<never>,
  bias: Value,
  query: Value,
  key: Value,
  heads: number,
): void {
  const wanted = [query.shape[0]!, heads, query.shape[1]!, key.shape[1]!];
  graph.check(
    bias.shape.length === 4 &&
      bias.shape.every((dim, axis) => sameDim(dim, wanted[axis]!) || (dim === 1 && axis < 3)),
    `attention's bias ${formatShape(bias.shape)} doesn't fit its scores ${formatShape(wanted)}`,
  );
}

export function checkIndices(graph: NodeBuilder<never>, value: Value, shape: Shape, message: string): void {
  const fits = value.dtype === 'int32' && sameShape(value.shape, shape);
  graph.check(fits, `${message}, got ${value.dtype} ${formatShape(value.shape)}`);
}

export function checkTiles(graph: NodeBuilder<never>, tiles: Value): void {
  checkIndices(graph, tiles, [4], 'attention in tiles needs them as 4 int32 numbers');
}
