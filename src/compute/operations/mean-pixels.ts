import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** The mean over pixels, N×C×H×W → N×C. */
export interface MeanPixels {
  readonly kind: 'mean_pixels';
  readonly x: Value;
}

export const meanPixels = defineOperation<MeanPixels>()({
  kind: 'mean_pixels',
  operands: { x: true },
  weights: {},
  build: {
    meanPixels(graph: NodeBuilder<MeanPixels>, x: Value): Value {
      const [batch, channels] = shapeOf(graph, x, 4, 'mean_pixels');
      return graph.emit({ kind: 'mean_pixels', x }, [batch, channels]);
    },
  },
  cost: ({ x }, { count }) => ({ flops: count(x) }),
  onnx: inEitherOrder(({ x }, context) =>
    context.node('ReduceMean', [context.name(x), context.model.ints([2, 3])], { keepdims: 0 }),
  ),
  cuda: computedOnCpu,
});
