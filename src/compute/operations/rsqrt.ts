import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** 1 / √x */
export interface Rsqrt {
  readonly kind: 'rsqrt';
  readonly x: Value;
}

export const rsqrt = defineOperation<Rsqrt>()({
  kind: 'rsqrt',
  operands: { x: true },
  weights: {},
  build: {
    rsqrt: (graph: NodeBuilder<Rsqrt>, x: Value): Value => graph.emit({ kind: 'rsqrt', x }, x.shape),
  },
  cost: (_, { results }) => ({ flops: 2 * results }),
  onnx: inEitherOrder(({ x }, context) =>
    context.node('Reciprocal', [context.node('Sqrt', [context.name(x)])]),
  ),
  cuda: computedOnCpu,
});
