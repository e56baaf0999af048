import { formatShape } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** A parameter as a value, 1×C×H×W or 1×1×C. */
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
      const { shape } = weight;
      graph.check(
        shape[0] === 1 && (shape.length === 4 || (shape.length === 3 && shape[1] === 1)),
        `constant needs 1×C×H×W or 1×1×C, ${weight.name} has ${formatShape(shape)}`,
      );
      return graph.emit({ kind: 'constant', weight }, shape);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain: ({ weight }, context) => context.weight(weight),
    // 1×C×H×W and C×1×H×W are the same values in the same order, and so are 1×1×C and C×1×1.
    channelMajor: ({ weight }, context) => {
      const [, second, ...rest] = weight.shape;
      return context.constant(weight, rest.length === 1 ? [...rest, 1, 1] : [second!, 1, ...rest]);
    },
  },
  cuda: computedOnCpu,
});
