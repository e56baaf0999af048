import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** x + a number. */
export interface Shift {
  readonly kind: 'shift';
  readonly x: Value;
  readonly by: number;
}

export const shift = defineOperation<Shift>()({
  kind: 'shift',
  operands: { x: true },
  weights: {},
  build: {
    shift: (graph: NodeBuilder<Shift>, x: Value, by: number): Value =>
      graph.emit({ kind: 'shift', x, by }, x.shape),
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: inEitherOrder(({ x, by }, context) =>
    context.node('Add', [context.name(x), context.model.floats([], [by])]),
  ),
  cuda: computedOnCpu,
});
