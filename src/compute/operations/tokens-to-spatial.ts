import { formatShape, multiplyDims, sameDim } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { extents, join } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';

/** N×(H·W)×C → N×C×H×W, with H and W of `like`. */
export interface TokensToSpatial {
  readonly kind: 'tokens_to_spatial';
  readonly x: Value;
  readonly like: Value;
}

export const tokensToSpatial = defineOperation<TokensToSpatial>()({
  kind: 'tokens_to_spatial',
  operands: { x: true, like: true },
  weights: {},
  build: {
    tokensToSpatial(graph: NodeBuilder<TokensToSpatial>, x: Value, like: Value): Value {
      const [batch, tokens, channels] = shapeOf(graph, x, 3, 'tokens_to_spatial');
      const [, , height, width] = shapeOf(graph, like, 4, 'tokens_to_spatial');
      graph.check(
        sameDim(tokens, multiplyDims(height, width)),
        `tokens_to_spatial can't lay ${formatShape(x.shape)} out as ${formatShape(like.shape)}`,
      );
      return graph.emit({ kind: 'tokens_to_spatial', x, like }, [batch, channels, height, width]);
    },
  },
  // As spatial_to_tokens.
  cost: () => ({ flops: 0, reads: 0, writes: 0 }),
  onnx: {
    plain({ x, like }, context) {
      const channelsFirst = context.node('Transpose', [context.name(x)], { perm: [0, 2, 1] });
      const size = join(context, [0, 0], extents(context, context.name(like), 2, 4));
      return context.node('Reshape', [channelsFirst, size]);
    },
    channelMajor({ x, like }, context) {
      const size = join(context, [0, 0], extents(context, context.name(like), 2, 4));
      return context.node('Reshape', [context.name(x), size]);
    },
  },
  cuda: { sameRowsAs: ({ x }) => x },
});
