import { convolvedDim, type Dim } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** The greatest value of each square; the padding is never it. With `partial` squares over the edge count (torch's ceil_mode). */
export interface MaxPool {
  readonly kind: 'max_pool';
  readonly x: Value;
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
  readonly partial: boolean;
}

/** Of ONNX's element types. */
const FLOAT = 1;
const BOOL = 9;

export const maxPool = defineOperation<MaxPool>()({
  kind: 'max_pool',
  operands: { x: true },
  weights: {},
  build: {
    /** `partial` squares lie over the edge by what the stride leaves. */
    maxPool(
      graph: NodeBuilder<MaxPool>,
      x: Value,
      options: Pick<MaxPool, 'size' | 'stride' | 'padding'> & Partial<Pick<MaxPool, 'partial'>>,
    ): Value {
      const { size, stride, padding, partial = false } = options;
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'max_pool');
      const beyond = 2 * padding + (partial ? stride - 1 : 0);
      const pooled = (extent: Dim) => convolvedDim(extent, size, stride, beyond);
      return graph.emit({ kind: 'max_pool', x, size, stride, padding, partial }, [
        batch,
        channels,
        pooled(height),
        pooled(width),
      ]);
    },
  },
  cost: ({ size }, { results }) => ({ flops: results * size ** 2 }),
  onnx: inEitherOrder(({ x, size, stride, padding, partial }, context) => {
    const pool = (values: string): string =>
      context.node('MaxPool', [values], {
        ceil_mode: partial ? 1 : 0,
        kernel_shape: [size, size],
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
      });
    // ONNX Runtime's leaves NaNs out, torch's doesn't.
    const marks = context.node('Cast', [context.node('IsNaN', [context.name(x)])], { to: FLOAT });
    const isNaN = context.node('Cast', [pool(marks)], { to: BOOL });
    return context.node('Where', [isNaN, context.model.floats([], [NaN]), pool(context.name(x))]);
  }),
  cuda: computedOnCpu,
});
