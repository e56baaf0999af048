import { formatShape, sameDim } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/**
 * Rotary position embedding (Su et al., "RoFormer", 2021): the d values of each head of N×T×(heads·d) are d/2 pairs, turned by angles
 * whose cosines and sines are 1×T×(d/2) or N×T×(d/2). A pair is two `neighbours`, or one of each of two `halves`.
 */
export interface Rotary {
  readonly kind: 'rotary';
  readonly x: Value;
  readonly cosines: Value;
  readonly sines: Value;
  readonly heads: number;
  readonly pairs: RotaryPairs;
}

export type RotaryPairs = 'neighbours' | 'halves';

export interface Angles {
  readonly cosines: Value;
  readonly sines: Value;
}

/** Four products and two sums a pair. */
const FLOPS = 3;

export const rotary = defineOperation<Rotary>()({
  kind: 'rotary',
  operands: { x: true, cosines: true, sines: true },
  weights: {},
  build: {
    rotary(
      graph: NodeBuilder<Rotary>,
      x: Value,
      { cosines, sines }: Angles,
      { heads, pairs }: { readonly heads: number; readonly pairs: RotaryPairs },
    ): Value {
      const [batch, tokens, features] = shapeOf(graph, x, 3, 'rotary');
      graph.check(
        typeof features === 'number' && features % (2 * heads) === 0,
        `rotary with ${heads} heads can't split ${formatShape(x.shape)}`,
      );
      for (const { shape } of [cosines, sines]) {
        graph.check(
          shape.length === 3 &&
            (shape[0] === 1 || sameDim(shape[0]!, batch)) &&
            sameDim(shape[1]!, tokens) &&
            shape[2] === features / heads / 2,
          `rotary can't turn ${formatShape(x.shape)} in ${heads} heads by angles of ${formatShape(shape)}`,
        );
      }
      return graph.emit({ kind: 'rotary', x, cosines, sines, heads, pairs }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results * FLOPS }),
  onnx: {
    plain({ x, cosines, sines, heads, pairs }, context) {
      const { model } = context;
      const axis = pairs === 'neighbours' ? 4 : 3;
      const cut = pairs === 'neighbours' ? [0, 0, heads, -1, 2] : [0, 0, heads, 2, -1];
      const whole = context.node('Reshape', [context.name(x), model.ints(cut)]);
      const part = (index: number) => context.node('Gather', [whole, model.ints([index])], { axis });
      const [first, second] = [part(0), part(1)];
      const at = pairs === 'neighbours' ? [2, 4] : [2, 3];
      const angle = (value: Value) => context.node('Unsqueeze', [context.name(value), model.ints(at)]);
      const [cos, sin] = [angle(cosines), angle(sines)];
      const times = (a: string, b: string) => context.node('Mul', [a, b]);
      const turned = [
        context.node('Sub', [times(first, cos), times(second, sin)]),
        context.node('Add', [times(first, sin), times(second, cos)]),
      ];
      return context.node('Reshape', [context.node('Concat', turned, { axis }), model.ints([0, 0, -1])]);
    },
    channelMajor: ({ x, cosines, sines, heads, pairs }, context) =>
      context.kernel('Rotary', [context.name(x), context.name(cosines), context.name(sines)], {
        heads,
        halves: pairs === 'halves' ? 1 : 0,
      }),
  },
  cuda: computedOnCpu,
});
