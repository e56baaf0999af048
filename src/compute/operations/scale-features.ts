import { checkVector, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** x · weight (C), along the channels of N×C×H×W, the last axis of anything else. */
export interface ScaleFeatures {
  readonly kind: 'scale_features';
  readonly x: Value;
  readonly weight: Weight;
}

export const scaleFeatures = defineOperation<ScaleFeatures>()({
  kind: 'scale_features',
  operands: { x: true },
  weights: { weight: true },
  build: {
    scaleFeatures(graph: NodeBuilder<ScaleFeatures>, x: Value, weight: Weight): Value {
      checkVector(graph, weight, x.shape.length === 4 ? x.shape[1] : x.shape.at(-1), weight);
      return graph.emit({ kind: 'scale_features', x, weight }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: {
    plain: ({ x, weight }, context) =>
      context.node('Mul', [
        context.name(x),
        x.shape.length === 4 ? context.reshaped(weight, [-1, 1, 1]) : context.weight(weight),
      ]),
    channelMajor: ({ x, weight }, context) =>
      context.node('Mul', [context.name(x), context.alongChannels(weight, x.shape.length)]),
  },
  cuda: computedOnCpu,
});
