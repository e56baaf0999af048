import { checkVector, shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { defineOperation } from './definition.js';

/** A leaky relu with a slope for each channel of N×C×H×W. */
export interface Prelu {
  readonly kind: 'prelu';
  readonly x: Value;
  readonly slope: Weight;
}

export const prelu = defineOperation<Prelu>()({
  kind: 'prelu',
  operands: { x: true },
  weights: { slope: true },
  build: {
    prelu(graph: NodeBuilder<Prelu>, x: Value, slope: Weight): Value {
      const [, channels] = shapeOf(graph, x, 4, 'prelu');
      checkVector(graph, slope, channels, slope);
      return graph.emit({ kind: 'prelu', x, slope }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: {
    plain: ({ x, slope }, context) =>
      context.node('PRelu', [context.name(x), context.reshaped(slope, [-1, 1, 1])]),
    channelMajor: ({ x, slope }, context) =>
      context.node('PRelu', [context.name(x), context.alongChannels(slope, 4)]),
  },
  cuda({ x, slope }, context, { result }) {
    const weight = context.weights.vector([slope])!;
    context.emit({ kind: 'prelu', x: context.view(x), out: context.place(result), weight });
  },
  asEpilogue: ({ slope }) => ({ part: 'slope', is: slope }),
});
