import { channels, type CudaContext, type CudaNode } from '../lowering/cuda/context.js';
import { columnsOf, VECTOR, type View } from '../lowering/cuda/program.js';
import { addDims, formatShape, sameDim } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import { UnsupportedOperation } from '../unsupported.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';

export interface Concat {
  readonly kind: 'concat';
  readonly values: readonly Value[];
  readonly axis: number;
}

export function alongChannels({ values, axis }: Concat): boolean {
  const rank = values[0]!.shape.length;
  return rank === 4 ? axis === 1 : axis === rank - 1;
}

/** Operands that were not computed in their place are copied there; along the first axis, rows follow rows. */
function lowerCuda(operation: Concat, context: CudaContext, { result }: CudaNode): void {
  const { values, axis } = operation;
  const whole = context.place(result);
  const besides = alongChannels(operation);
  if (!besides && axis !== 0) {
    throw new UnsupportedOperation(`the CUDA engine has no concat along axis ${axis} yet`);
  }
  let place = 0;
  for (const value of values) {
    const x = context.view(value);
    if (besides && place % VECTOR !== 0) {
      throw new UnsupportedOperation(`the CUDA engine joins multiples of ${VECTOR} channels`);
    }
    const out: View = besides
      ? columnsOf(whole, place, channels(value))
      : { ...whole, rows: x.rows, offset: whole.offset + place * whole.stride };
    if (x.buffer !== out.buffer || x.offset !== out.offset) context.emit({ kind: 'copy', x, out });
    place += besides ? x.columns : x.rows;
  }
}

export const concat = defineOperation<Concat>()({
  kind: 'concat',
  operands: { values: true },
  weights: {},
  build: {
    concat(graph: NodeBuilder<Concat>, values: readonly Value[], axis: number): Value {
      const [first, ...rest] = values;
      if (first === undefined) throw graph.error('concat needs at least one value');
      let extent = first.shape[axis];
      if (extent === undefined)
        throw graph.error(`concat has no axis ${axis} in ${formatShape(first.shape)}`);
      for (const value of rest) {
        const fits =
          value.shape.length === first.shape.length &&
          value.shape.every((dim, index) => index === axis || sameDim(dim, first.shape[index]!));
        graph.check(
          fits,
          `concat along ${axis} can't join ${formatShape(first.shape)} and ${formatShape(value.shape)}`,
        );
        extent = addDims(extent, value.shape[axis]!);
      }
      const joined = extent;
      const shape = first.shape.map((dim, index) => (index === axis ? joined : dim));
      return graph.emit({ kind: 'concat', values: [...values], axis }, shape);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain: ({ values, axis }, context) =>
      context.node(
        'Concat',
        values.map((value) => context.name(value)),
        { axis },
      ),
    channelMajor: ({ values, axis }, context) =>
      context.node(
        'Concat',
        values.map((value) => context.name(value)),
        { axis: context.axis(axis, values[0]!.shape.length) },
      ),
  },
  cuda: lowerCuda,
});
