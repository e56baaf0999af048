import { formatShape, sameShape } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { defineOperation, inEitherOrder } from './definition.js';

export interface Add {
  readonly kind: 'add';
  readonly a: Value;
  readonly b: Value;
}

export const add = defineOperation<Add>()({
  kind: 'add',
  operands: { a: true, b: true },
  weights: {},
  build: {
    add(graph: NodeBuilder<Add>, a: Value, b: Value): Value {
      graph.check(
        sameShape(a.shape, b.shape),
        `add needs equal shapes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      );
      return graph.emit({ kind: 'add', a, b }, a.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: inEitherOrder(({ a, b }, context) => context.node('Add', [context.name(a), context.name(b)])),
  cuda({ a, b }, context, { result }) {
    context.emit({ kind: 'add', a: context.view(a), b: context.view(b), out: context.place(result) });
  },
  asEpilogue: ({ a, b }, value) =>
    a.id === b.id ? undefined : { part: 'residual', is: a.id === value.id ? b : a },
});
