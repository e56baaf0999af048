import { formatShape } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import { slice as lower } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** Entries [from, from + count) along an axis. */
export interface Slice {
  readonly kind: 'slice';
  readonly x: Value;
  readonly axis: number;
  readonly from: number;
  readonly count: number;
}

export const slice = defineOperation<Slice>()({
  kind: 'slice',
  operands: { x: true },
  weights: {},
  build: {
    slice(graph: NodeBuilder<Slice>, x: Value, axis: number, from: number, count: number): Value {
      const extent = x.shape[axis];
      graph.check(
        typeof extent === 'number' && from >= 0 && from + count <= extent,
        `slice has no entries ${from} to ${from + count} along ${axis} of ${formatShape(x.shape)}`,
      );
      const shape = x.shape.map((dim, index) => (index === axis ? count : dim));
      return graph.emit({ kind: 'slice', x, axis, from, count }, shape);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain: ({ x, axis, from, count }, context) => lower(context, context.name(x), axis, from, from + count),
    channelMajor: ({ x, axis, from, count }, context) =>
      lower(context, context.name(x), context.axis(axis, x.shape.length), from, from + count),
  },
  cuda: computedOnCpu,
});
