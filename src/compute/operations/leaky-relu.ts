import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { defineOperation, inEitherOrder } from './definition.js';

/** Multiplies negative values by `slope`. */
export interface LeakyRelu {
  readonly kind: 'leaky_relu';
  readonly x: Value;
  readonly slope: number;
}

export const leakyRelu = defineOperation<LeakyRelu>()({
  kind: 'leaky_relu',
  operands: { x: true },
  weights: {},
  build: {
    leakyRelu: (graph: NodeBuilder<LeakyRelu>, x: Value, slope: number): Value =>
      graph.emit({ kind: 'leaky_relu', x, slope }, x.shape),
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: inEitherOrder(({ x, slope }, context) =>
    context.node('LeakyRelu', [context.name(x)], { alpha: { float: slope } }),
  ),
  cuda({ x, slope }, context, { result }) {
    context.emit({ kind: 'leaky_relu', x: context.view(x), out: context.place(result), slope });
  },
  asEpilogue: ({ slope }) => ({ part: 'slope', is: slope }),
});
