import { formatShape, sameShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** x (N×C×H×W) · v (N×C), the same for every pixel. */
export interface ScalePerChannel {
  readonly kind: 'scale_per_channel';
  readonly x: Value;
  readonly v: Value;
}

export const scalePerChannel = defineOperation<ScalePerChannel>()({
  kind: 'scale_per_channel',
  operands: { x: true, v: true },
  weights: {},
  build: {
    scalePerChannel(graph: NodeBuilder<ScalePerChannel>, x: Value, v: Value): Value {
      const [batch, channels] = shapeOf(graph, x, 4, 'scale_per_channel');
      graph.check(
        sameShape(v.shape, [batch, channels]),
        `scale_per_channel can't scale ${formatShape(x.shape)} by ${formatShape(v.shape)}`,
      );
      return graph.emit({ kind: 'scale_per_channel', x, v }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: inEitherOrder(({ x, v }, context) => {
    const perPixel = context.node('Unsqueeze', [context.name(v), context.model.ints([2, 3])]);
    return context.node('Mul', [context.name(x), perPixel]);
  }),
  cuda: computedOnCpu,
});
