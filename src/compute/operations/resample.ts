import { formatShape, sameDim } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** A picture's lines and columns mixed: rows (1×1×H'×H) · x (N×C×H×W) · columns (1×1×W×W'). Every separable way of resizing is one. */
export interface Resample {
  readonly kind: 'resample';
  readonly x: Value;
  readonly rows: Value;
  readonly columns: Value;
}

export const resample = defineOperation<Resample>()({
  kind: 'resample',
  operands: { x: true, rows: true, columns: true },
  weights: {},
  build: {
    resample(graph: NodeBuilder<Resample>, x: Value, rows: Value, columns: Value): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'resample');
      graph.check(
        rows.shape.length === 4 &&
          columns.shape.length === 4 &&
          sameDim(rows.shape[3]!, height) &&
          sameDim(columns.shape[2]!, width),
        `resample can't apply ${formatShape(rows.shape)} and ${formatShape(columns.shape)} to ${formatShape(x.shape)}`,
      );
      const shape = [batch, channels, rows.shape[2]!, columns.shape[3]!];
      return graph.emit({ kind: 'resample', x, rows, columns }, shape);
    },
  },
  cost: ({ x, columns }, { results, count }) => ({
    flops: 2 * (count(x) + results) * Math.sqrt(count(columns)),
  }),
  onnx: inEitherOrder(({ x, rows, columns }, context) =>
    context.node('MatMul', [
      context.node('MatMul', [context.name(rows), context.name(x)]),
      context.name(columns),
    ]),
  ),
  cuda: computedOnCpu,
});
