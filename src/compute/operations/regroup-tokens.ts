import { multiplyDims, formatShape, sameDim } from '../dim.js';
import { extents, join } from '../lowering/onnx/nodes.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** Tokens in other rows, one row behind the other: N×T×C as 1×(N·T)×C, or as the rows that `like` has. */
export interface RegroupTokens {
  readonly kind: 'regroup_tokens';
  readonly x: Value;
  readonly like: Value | undefined;
}

export const regroupTokens = defineOperation<RegroupTokens>()({
  kind: 'regroup_tokens',
  operands: { x: true, like: true },
  weights: {},
  build: {
    regroupTokens(graph: NodeBuilder<RegroupTokens>, x: Value, like?: Value): Value {
      const [rows, tokens, channels] = shapeOf(graph, x, 3, 'regroup_tokens');
      if (like === undefined) {
        return graph.emit({ kind: 'regroup_tokens', x, like }, [1, multiplyDims(rows, tokens), channels]);
      }
      const [likeRows, likeTokens] = shapeOf(graph, like, 3, 'regroup_tokens');
      graph.check(
        rows === 1 && sameDim(tokens, multiplyDims(likeRows, likeTokens)),
        `regroup_tokens can't lay ${formatShape(x.shape)} out as ${formatShape(like.shape)}`,
      );
      return graph.emit({ kind: 'regroup_tokens', x, like }, [likeRows, likeTokens, channels]);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain({ x, like }, context) {
      const name = context.name(x);
      const rows = like === undefined ? [1, -1] : extents(context, context.name(like), 0, 2);
      return context.node('Reshape', [name, join(context, rows, extents(context, name, 2, 3))]);
    },
    channelMajor({ x, like }, context) {
      const name = context.name(x);
      const rows = like === undefined ? [1, -1] : extents(context, context.name(like), 1, 3);
      return context.node('Reshape', [name, join(context, extents(context, name, 0, 1), rows)]);
    },
  },
  cuda: computedOnCpu,
});
