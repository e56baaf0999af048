import { formatShape, sameDim } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** a + b or a·b of equal rank; extents of 1 are repeated. */
export interface Broadcast {
  readonly kind: 'broadcast';
  readonly function: 'add' | 'multiply';
  readonly a: Value;
  readonly b: Value;
}

function build(graph: NodeBuilder<Broadcast>, name: Broadcast['function'], a: Value, b: Value): Value {
  graph.check(
    a.shape.length === b.shape.length &&
      a.shape.every((dim, axis) => dim === 1 || b.shape[axis] === 1 || sameDim(dim, b.shape[axis]!)),
    `broadcast can't join ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
  );
  const shape = a.shape.map((dim, axis) => (dim === 1 ? b.shape[axis]! : dim));
  return graph.emit({ kind: 'broadcast', function: name, a, b }, shape);
}

export const broadcast = defineOperation<Broadcast>()({
  kind: 'broadcast',
  operands: { a: true, b: true },
  weights: {},
  build: {
    addBroadcast: (graph: NodeBuilder<Broadcast>, a: Value, b: Value): Value => build(graph, 'add', a, b),
    multiply: (graph: NodeBuilder<Broadcast>, a: Value, b: Value): Value => build(graph, 'multiply', a, b),
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: inEitherOrder(({ function: name, a, b }, context) =>
    context.node(name === 'add' ? 'Add' : 'Mul', [context.name(a), context.name(b)]),
  ),
  cuda: computedOnCpu,
});
