import { formatShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { unitLength } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** Each head's part of N×T×(heads·d) at length 1. */
export interface NormalizeHeads {
  readonly kind: 'normalize_heads';
  readonly x: Value;
  readonly heads: number;
}

export const normalizeHeads = defineOperation<NormalizeHeads>()({
  kind: 'normalize_heads',
  operands: { x: true },
  weights: {},
  build: {
    normalizeHeads(graph: NodeBuilder<NormalizeHeads>, x: Value, heads: number): Value {
      const [, , features] = shapeOf(graph, x, 3, 'normalize_heads');
      graph.check(
        typeof features === 'number' && features % heads === 0,
        `normalize_heads with ${heads} heads can't split ${formatShape(x.shape)}`,
      );
      return graph.emit({ kind: 'normalize_heads', x, heads }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results * 3 }),
  onnx: {
    plain({ x, heads }, context) {
      const cut = context.node('Reshape', [context.name(x), context.model.ints([0, 0, heads, -1])]);
      const unit = unitLength(context, cut, 3);
      return context.node('Reshape', [unit, context.model.ints([0, 0, -1])]);
    },
    channelMajor({ x, heads }, context) {
      const whole = context.node('Shape', [context.name(x)]);
      const unit = unitLength(context, context.splitHeads(x, heads), 1);
      return context.node('Reshape', [unit, whole]);
    },
  },
  cuda: computedOnCpu,
});
