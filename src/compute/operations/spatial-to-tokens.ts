import { multiplyDims } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';

/** N×C×H×W → N×(H·W)×C. */
export interface SpatialToTokens {
  readonly kind: 'spatial_to_tokens';
  readonly x: Value;
}

export const spatialToTokens = defineOperation<SpatialToTokens>()({
  kind: 'spatial_to_tokens',
  operands: { x: true },
  weights: {},
  build: {
    spatialToTokens(graph: NodeBuilder<SpatialToTokens>, x: Value): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'spatial_to_tokens');
      return graph.emit({ kind: 'spatial_to_tokens', x }, [batch, multiplyDims(height, width), channels]);
    },
  },
  // The same values in another order of axes: whether anything moves is the backend's choice of layout.
  cost: () => ({ flops: 0, reads: 0, writes: 0 }),
  onnx: {
    plain({ x }, context) {
      const rows = context.node('Reshape', [context.name(x), context.model.ints([0, 0, -1])]);
      return context.node('Transpose', [rows], { perm: [0, 2, 1] });
    },
    channelMajor: ({ x }, context) =>
      context.node('Reshape', [context.name(x), context.model.ints([0, 0, -1])]),
  },
  cuda: { sameRowsAs: ({ x }) => x },
});
