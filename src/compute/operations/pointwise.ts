import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** A function of each value, of those that no kernel of ours has: torch's ELU, Hardswish and Softsign. */
export interface Pointwise {
  readonly kind: 'pointwise';
  readonly x: Value;
  readonly function: 'elu' | 'hard_swish' | 'softsign';
}

const ONNX_NAMES = { elu: 'Elu', hard_swish: 'HardSwish', softsign: 'Softsign' } as const;

export const pointwise = defineOperation<Pointwise>()({
  kind: 'pointwise',
  operands: { x: true },
  weights: {},
  build: {
    pointwise: (graph: NodeBuilder<Pointwise>, x: Value, name: Pointwise['function']): Value =>
      graph.emit({ kind: 'pointwise', x, function: name }, x.shape),
  },
  cost: (_, { results }) => ({ flops: 4 * results }),
  onnx: inEitherOrder(({ x, function: name }, context) => context.node(ONNX_NAMES[name], [context.name(x)])),
  cuda: computedOnCpu,
});
