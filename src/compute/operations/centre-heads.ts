import { formatShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** Each head's part of N×T×(heads·d) without its mean. */
export interface CentreHeads {
  readonly kind: 'centre_heads';
  readonly x: Value;
  readonly heads: number;
}

export const centreHeads = defineOperation<CentreHeads>()({
  kind: 'centre_heads',
  operands: { x: true },
  weights: {},
  build: {
    centreHeads(graph: NodeBuilder<CentreHeads>, x: Value, heads: number): Value {
      const [, , features] = shapeOf(graph, x, 3, 'centre_heads');
      graph.check(
        typeof features === 'number' && features % heads === 0,
        `centre_heads with ${heads} heads can't split ${formatShape(x.shape)}`,
      );
      return graph.emit({ kind: 'centre_heads', x, heads }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results * 2 }),
  onnx: {
    plain({ x, heads }, context) {
      const { model } = context;
      const cut = context.node('Reshape', [context.name(x), model.ints([0, 0, heads, -1])]);
      const mean = context.node('ReduceMean', [cut, model.ints([3])], { keepdims: 1 });
      return context.node('Reshape', [context.node('Sub', [cut, mean]), model.ints([0, 0, -1])]);
    },
    channelMajor({ x, heads }, context) {
      const whole = context.node('Shape', [context.name(x)]);
      const cut = context.splitHeads(x, heads);
      const mean = context.node('ReduceMean', [cut, context.model.ints([1])], { keepdims: 1 });
      return context.node('Reshape', [context.node('Sub', [cut, mean]), whole]);
    },
  },
  cuda: computedOnCpu,
});
