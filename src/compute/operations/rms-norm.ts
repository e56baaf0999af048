import { formatShape } from '../dim.js';
import { checkVector, shapeOf, type NodeBuilder } from '../node-builder.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** Each head's part of N×T×(heads·d) divided by its root mean square, times a weight of d values. */
export interface RmsNorm {
  readonly kind: 'rms_norm';
  readonly x: Value;
  readonly weight: Weight | undefined;
  readonly heads: number;
  readonly epsilon: number;
}

export interface RmsNormOptions {
  readonly heads?: number;
  /** Added to the mean of squares. */
  readonly epsilon: number;
}

/** Square, mean, root, quotient, weight. */
const FLOPS = 5;

function normalized(context: OnnxContext, x: string, axis: number, epsilon: number): string {
  const { model } = context;
  const mean = context.node('ReduceMean', [context.node('Mul', [x, x]), model.ints([axis])], { keepdims: 1 });
  const root = context.node('Sqrt', [context.node('Add', [mean, model.floats([], [epsilon])])]);
  return context.node('Div', [x, root]);
}

export const rmsNorm = defineOperation<RmsNorm>()({
  kind: 'rms_norm',
  operands: { x: true },
  weights: { weight: true },
  build: {
    rmsNorm(
      graph: NodeBuilder<RmsNorm>,
      x: Value,
      weight: Weight | undefined,
      { heads = 1, epsilon }: RmsNormOptions,
    ): Value {
      const [, , features] = shapeOf(graph, x, 3, 'rms_norm');
      graph.check(
        typeof features === 'number' && features % heads === 0,
        `rms_norm with ${heads} heads can't split ${formatShape(x.shape)}`,
      );
      if (weight !== undefined) checkVector(graph, weight, features / heads, weight);
      return graph.emit({ kind: 'rms_norm', x, weight, heads, epsilon }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results * FLOPS }),
  onnx: {
    plain({ x, weight, heads, epsilon }, context) {
      const cut = context.node('Reshape', [context.name(x), context.model.ints([0, 0, heads, -1])]);
      const unit = normalized(context, cut, 3, epsilon);
      const scaled = weight === undefined ? unit : context.node('Mul', [unit, context.weight(weight)]);
      return context.node('Reshape', [scaled, context.model.ints([0, 0, -1])]);
    },
    channelMajor: ({ x, weight, heads, epsilon }, context) =>
      context.kernel('RmsNorm', [context.name(x)], {
        channels: Number(x.shape[2]) / heads,
        weight: context.weights.vector(weight),
        epsilon: { float: epsilon },
      }),
  },
  cuda: computedOnCpu,
});
