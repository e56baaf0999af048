import { formatShape } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import { KERNEL_ACTIVATION } from '../../native/kernel-numbers.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';
import { ACTIVATION_FLOPS } from './shared/activations.js';

/** Splits the last axis in halves (a, b) and yields a·gelu(b). */
export interface Geglu {
  readonly kind: 'geglu';
  readonly x: Value;
}

/** The halves lie along `axis`. */
function lower({ x }: Geglu, context: OnnxContext, axis: number, gelu: (x: string) => string): string {
  const { model } = context;
  const half = (x.shape.at(-1) as number) / 2;
  const part = (from: number): string =>
    context.node('Slice', [
      context.name(x),
      model.ints([from]),
      model.ints([from + half]),
      model.ints([axis]),
    ]);
  return context.node('Mul', [part(0), gelu(part(half))]);
}

export const geglu = defineOperation<Geglu>()({
  kind: 'geglu',
  operands: { x: true },
  weights: {},
  build: {
    geglu(graph: NodeBuilder<Geglu>, x: Value): Value {
      const features = x.shape.at(-1);
      graph.check(
        typeof features === 'number' && features % 2 === 0,
        `geglu needs an even last axis, got ${formatShape(x.shape)}`,
      );
      return graph.emit({ kind: 'geglu', x }, [...x.shape.slice(0, -1), features / 2]);
    },
  },
  cost: (_, { results }) => ({ flops: results * (ACTIVATION_FLOPS.gelu + 1) }),
  onnx: {
    plain: (operation, context) => lower(operation, context, -1, (x) => context.node('Gelu', [x])),
    channelMajor(operation, context) {
      const rank = operation.x.shape.length;
      const attributes = { activation: KERNEL_ACTIVATION.gelu };
      return lower(operation, context, context.axis(rank - 1, rank), (x) =>
        context.kernel('Activate', [x], attributes),
      );
    },
  },
  cuda({ x }, context, { result }) {
    context.emit({ kind: 'geglu', x: context.view(x), out: context.place(result) });
  },
  asEpilogue: () => ({ part: 'activation', is: 'geglu' }),
});
