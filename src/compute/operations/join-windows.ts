import { formatShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

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
      const [, tokens, channels] = shapeOf(graph, x, 3, 'join_windows');
      const [batch, , rows, columns] = shapeOf(graph, like, 4, 'join_windows');
      graph.check(
        tokens === height * width,
        `join_windows can't lay ${formatShape(x.shape)} out as windows of ${height}×${width}`,
      );
      const shape = [batch, channels, rows, columns];
      return graph.emit({ kind: 'join_windows', x, like, height, width }, shape);
    },
  },
  // Of `like`, only the size is looked at.
  cost: ({ x }, { count }) => ({ flops: 0, reads: count(x) }),
  onnx: {
    plain(operation, context) {
      const x = context.channelsFirst(operation.x);
      const like = context.swappedPictures(context.name(operation.like));
      return context.swappedPictures(lower(context, operation, x, like));
    },
    channelMajor: (operation, context) =>
      lower(context, operation, context.name(operation.x), context.name(operation.like)),
  },
  cuda: computedOnCpu,
});
