import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { besideTokens, checkPerToken } from './modulate.js';

/** x · gate on N×T×C; the gate is N×C or N×1×C, the same for all tokens, or N×T×C. */
export interface Gate {
  readonly kind: 'gate';
  readonly x: Value;
  readonly gate: Value;
}

export const gate = defineOperation<Gate>()({
  kind: 'gate',
  operands: { x: true, gate: true },
  weights: {},
  build: {
    gate(graph: NodeBuilder<Gate>, x: Value, by: Value): Value {
      checkPerToken(graph, x, by, 'gate');
      return graph.emit({ kind: 'gate', x, gate: by }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: {
    plain: ({ x, gate: by }, context) =>
      context.node('Mul', [context.name(x), besideTokens(context, context.name(by), by, 1)]),
    channelMajor: ({ x, gate: by }, context) =>
      context.node('Mul', [context.name(x), besideTokens(context, context.name(by), by, 2)]),
  },
  cuda: computedOnCpu,
});
