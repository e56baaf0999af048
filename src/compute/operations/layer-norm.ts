import { checkVector, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { defineOperation } from './definition.js';
import { NORM_FLOPS, placeScales } from './shared/norms.js';

/** Layer normalisation over the last axis. */
export interface LayerNorm {
  readonly kind: 'layer_norm';
  readonly x: Value;
  readonly weight: Weight;
  readonly bias: Weight;
  readonly epsilon: number;
}

export const layerNorm = defineOperation<LayerNorm>()({
  kind: 'layer_norm',
  operands: { x: true },
  weights: { weight: true, bias: true },
  build: {
    layerNorm(graph: NodeBuilder<LayerNorm>, x: Value, weight: Weight, bias: Weight, epsilon = 1e-5): Value {
      const features = x.shape.at(-1);
      checkVector(graph, weight, features, weight);
      checkVector(graph, bias, features, weight);
      return graph.emit({ kind: 'layer_norm', x, weight, bias, epsilon }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results * NORM_FLOPS }),
  onnx: {
    plain: ({ x, weight, bias, epsilon }, context) =>
      context.node('LayerNormalization', [context.name(x), context.weight(weight), context.weight(bias)], {
        axis: -1,
        epsilon: { float: epsilon },
      }),
    // The last axis is the channels' for tokens and vectors.
    channelMajor: ({ x, weight, bias, epsilon }, context) =>
      context.kernel('LayerNorm', [context.name(x)], {
        channels: weight.shape[0]!,
        weight: context.weights.vector(weight),
        bias: context.weights.vector(bias),
        epsilon: { float: epsilon },
      }),
  },
  cuda(operation, context, { result }) {
    const scales = placeScales(operation, context);
    const x = context.view(operation.x);
    const { epsilon } = operation;
    context.emit({ kind: 'layer_norm', x, out: context.place(result), ...scales, epsilon });
  },
});
