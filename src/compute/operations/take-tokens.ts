import { formatShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { extents, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** The first or last tokens of N×T×C, as many as `like` has. */
export interface TakeTokens {
  readonly kind: 'take_tokens';
  readonly x: Value;
  readonly like: Value;
  readonly end: 'first' | 'last';
}

function lower(nodes: NodeWriter, x: string, like: string, end: TakeTokens['end'], axis: number): string {
  const { model } = nodes;
  const count = extents(nodes, like, axis, axis + 1);
  const axes = model.ints([axis]);
  if (end === 'first') return nodes.node('Slice', [x, model.ints([0]), count, axes]);
  const whole = extents(nodes, x, axis, axis + 1);
  return nodes.node('Slice', [x, nodes.node('Sub', [whole, count]), whole, axes]);
}

export const takeTokens = defineOperation<TakeTokens>()({
  kind: 'take_tokens',
  operands: { x: true, like: true },
  weights: {},
  build: {
    /** Fewer tokens than `like` has fail when the graph runs. */
    takeTokens(graph: NodeBuilder<TakeTokens>, x: Value, like: Value, end: TakeTokens['end']): Value {
      const [batch, , features] = shapeOf(graph, x, 3, 'take_tokens');
      graph.check(
        like.shape.length === 3,
        `take_tokens needs 3 axes to go by, got ${formatShape(like.shape)}`,
      );
      return graph.emit({ kind: 'take_tokens', x, like, end }, [batch, like.shape[1]!, features]);
    },
  },
  // Of `like`, only the size is looked at.
  cost: (_, { results }) => ({ flops: 0, reads: results }),
  onnx: {
    plain: ({ x, like, end }, context) => lower(context, context.name(x), context.name(like), end, 1),
    channelMajor: ({ x, like, end }, context) => lower(context, context.name(x), context.name(like), end, 2),
  },
  cuda: computedOnCpu,
});
