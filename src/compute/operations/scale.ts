import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { defineOperation, inEitherOrder } from './definition.js';

export interface Scale {
  readonly kind: 'scale';
  readonly x: Value;
  readonly factor: number;
}

export const scale = defineOperation<Scale>()({
  kind: 'scale',
  operands: { x: true },
  weights: {},
  build: {
    scale: (graph: NodeBuilder<Scale>, x: Value, factor: number): Value =>
      graph.emit({ kind: 'scale', x, factor }, x.shape),
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: inEitherOrder(({ x, factor }, context) =>
    context.node('Mul', [context.name(x), context.model.floats([], [factor])]),
  ),
  cuda({ x, factor }, context, { result }) {
    context.emit({ kind: 'scale', x: context.view(x), out: context.place(result), factor });
  },
});
