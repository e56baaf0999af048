import type { NodeBuilder } from '../node-builder.js';
import { extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { combExtents, type CombSize } from './shared/combs.js';
import { joinCost, joinedShape, joinInEitherOrder } from './shared/cut-pictures.js';

/** The inverse of `combs`, with N, H and W of `like`. */
export interface JoinCombs extends CombSize {
  readonly kind: 'join_combs';
  readonly x: Value;
  readonly like: Value;
}

/** On channel-major operands. */
function lower(nodes: NodeWriter, operation: JoinCombs, x: string, like: string): string {
  const channels = Number(operation.x.shape[2]);
  const parts = combExtents(nodes, like, channels, operation);
  const { rows, inRow, columns, inColumn } = parts;
  const shape = join(nodes, parts.channels, parts.batch, inRow, inColumn, rows, columns);
  const cut = nodes.node('Reshape', [x, shape]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 4, 2, 5, 3] });
  return nodes.node('Reshape', [moved, join(nodes, [channels], extents(nodes, like, 1, 4))]);
}

export const joinCombs = defineOperation<JoinCombs>()({
  kind: 'join_combs',
  operands: { x: true, like: true },
  weights: {},
  build: {
    joinCombs(graph: NodeBuilder<JoinCombs>, x: Value, like: Value, size: number, by: CombSize['by']): Value {
      const shape = joinedShape(graph, { x, like }, 'join_combs');
      return graph.emit({ kind: 'join_combs', x, like, size, by }, shape);
    },
  },
  cost: joinCost,
  onnx: joinInEitherOrder(lower),
  cuda: computedOnCpu,
});
