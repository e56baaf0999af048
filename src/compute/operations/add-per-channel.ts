import { formatShape, sameShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { defineOperation, inEitherOrder } from './definition.js';

/** x (N×C×H×W) + v (N×C), the same for every pixel. */
export interface AddPerChannel {
  readonly kind: 'add_per_channel';
  readonly x: Value;
  readonly v: Value;
}

export const addPerChannel = defineOperation<AddPerChannel>()({
  kind: 'add_per_channel',
  operands: { x: true, v: true },
  weights: {},
  build: {
    addPerChannel(graph: NodeBuilder<AddPerChannel>, x: Value, v: Value): Value {
      const [batch, channels] = shapeOf(graph, x, 4, 'add_per_channel');
      graph.check(
        sameShape(v.shape, [batch, channels]),
        `add_per_channel can't add ${formatShape(v.shape)} to ${formatShape(x.shape)}`,
      );
      return graph.emit({ kind: 'add_per_channel', x, v }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: inEitherOrder(({ x, v }, context) => {
    const perPixel = context.node('Unsqueeze', [context.name(v), context.model.ints([2, 3])]);
    return context.node('Add', [context.name(x), perPixel]);
  }),
  cuda(operation, context, { result }) {
    const [x, v] = [context.view(operation.x), context.view(operation.v)];
    const rowsPerSum = x.rows / v.rows;
    context.emit({ kind: 'add_per_channel', x, v, out: context.place(result), rowsPerSum });
  },
  asEpilogue: ({ x, v }, value) => (x.id === value.id ? { part: 'sums', is: v } : undefined),
});
