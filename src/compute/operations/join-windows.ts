import type { NodeBuilder } from '../node-builder.js';
import { extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { joinCost, joinedShape, joinInEitherOrder } from './shared/cut-pictures.js';

/** The inverse of `windows`, with N, H and W of `like`. */
export interface JoinWindows {
  readonly kind: 'join_windows';
  readonly x: Value;
  readonly like: Value;
  readonly height: number;
  readonly width: number;
}

/** On channel-major operands. */
function lower(
  nodes: NodeWriter,
  { x: { shape }, height, width }: JoinWindows,
  x: string,
  like: string,
): string {
  const channels = Number(shape[2]);
  const columns = nodes.node('Div', [extents(nodes, like, 3, 4), nodes.model.ints([width])]);
  const cut = nodes.node('Reshape', [x, join(nodes, [channels, -1], columns, [height, width])]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 3, 2, 4] });
  return nodes.node('Reshape', [moved, join(nodes, [channels], extents(nodes, like, 1, 4))]);
}

export const joinWindows = defineOperation<JoinWindows>()({
  kind: 'join_windows',
  operands: { x: true, like: true },
  weights: {},
  build: {
    joinWindows(
      graph: NodeBuilder<JoinWindows>,
      x: Value,
      like: Value,
      height: number,
      width: number,
    ): Value {
      const shape = joinedShape(graph, { x, like }, 'join_windows', height * width);
      return graph.emit({ kind: 'join_windows', x, like, height, width }, shape);
    },
  },
  cost: joinCost,
  onnx: joinInEitherOrder(lower),
  cuda: computedOnCpu,
});
