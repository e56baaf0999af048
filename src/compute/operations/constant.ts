import { formatShape } from '../dim.js';
import { weightShape, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** A parameter as a value, 1×C×H×W. */
export interface Constant {
  readonly kind: 'constant';
  readonly weight: Weight;
}

export const constant = defineOperation<Constant>()({
  kind: 'constant',
  operands: {},
  weights: { weight: true },
  build: {
    constant(graph: NodeBuilder<Constant>, weight: Weight): Value {
      const shape = weightShape(graph, weight, 4);
      graph.check(
        shape[0] === 1,
        `constant needs a leading extent of 1, ${weight.name} has ${formatShape(shape)}`,
      );
      return graph.emit({ kind: 'constant', weight }, shape);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain: ({ weight }, context) => context.weight(weight),
    // 1×C×H×W and C×1×H×W are the same values in the same order.
    channelMajor: ({ weight }, context) =>
      context.constant(weight, [weight.shape[1]!, 1, ...weight.shape.slice(2)]),
  },
  cuda: computedOnCpu,
});
