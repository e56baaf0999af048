import { formatShape } from '../dim.js';
import { shapeOf, weightShape, type NodeBuilder } from '../node-builder.js';
import { extents } from '../lowering/onnx/nodes.js';
import { transposedWeight } from '../lowering/onnx/weight-table.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { defineOperation } from './definition.js';

/** x (N×T×C) + the first T rows of the weight (T'×C). */
export interface AddRows {
  readonly kind: 'add_rows';
  readonly x: Value;
  readonly weight: Weight;
}

export const addRows = defineOperation<AddRows>()({
  kind: 'add_rows',
  operands: { x: true },
  weights: { weight: true },
  build: {
    addRows(graph: NodeBuilder<AddRows>, x: Value, weight: Weight): Value {
      const [rows, features] = weightShape(graph, weight, 2);
      const [, tokens, channels] = shapeOf(graph, x, 3, 'add_rows');
      graph.check(
        channels === features && (typeof tokens !== 'number' || tokens <= rows),
        `add_rows can't add ${weight.name} ${formatShape(weight.shape)} to ${formatShape(x.shape)}`,
      );
      return graph.emit({ kind: 'add_rows', x, weight }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: {
    plain({ x, weight }, context) {
      const { model } = context;
      const tokens = extents(context, context.name(x), 1, 2);
      const rows = [context.weight(weight), model.ints([0]), tokens, model.ints([0])];
      return context.node('Add', [context.name(x), context.node('Slice', rows)]);
    },
    channelMajor({ x, weight }, context) {
      const { model } = context;
      const [rows, channels] = weight.shape as [number, number];
      const tokens = extents(context, context.name(x), 2, 3);
      const columns = model.floatTensor([channels, 1, rows], transposedWeight(weight));
      const first = context.node('Slice', [columns, model.ints([0]), tokens, model.ints([2])]);
      return context.node('Add', [context.name(x), first]);
    },
  },
  cuda(operation, context, { result }) {
    const x = context.view(operation.x);
    const weight = context.weights.matrix([operation.weight], 'rows');
    const [, period] = context.extents(operation.x) as [number, number];
    context.emit({ kind: 'add_rows', x, out: context.place(result), weight, period });
  },
});
