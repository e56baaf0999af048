import { formatShape, sameShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import { INT64 } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';

/** Row `index[n]` of each sequence: N×T×C, N → N×C. */
export interface SelectToken {
  readonly kind: 'select_token';
  readonly x: Value;
  readonly index: Value;
}

/** `tokens` is N×T×C. */
function lower({ index }: SelectToken, context: OnnxContext, tokens: string): string {
  const wide = context.node('Cast', [context.name(index)], { to: INT64 });
  const indices = context.node('Unsqueeze', [wide, context.model.ints([1])]);
  return context.node('GatherND', [tokens, indices], { batch_dims: 1 });
}

export const selectToken = defineOperation<SelectToken>()({
  kind: 'select_token',
  operands: { x: true, index: true },
  weights: {},
  build: {
    selectToken(graph: NodeBuilder<SelectToken>, x: Value, index: Value): Value {
      const [batch, , channels] = shapeOf(graph, x, 3, 'select_token');
      graph.check(
        index.dtype === 'int32' && sameShape(index.shape, [batch]),
        `select_token needs one int32 index a sequence, got ${formatShape(index.shape)}`,
      );
      return graph.emit({ kind: 'select_token', x, index }, [batch, channels]);
    },
  },
  // A row of each sequence, and where it is.
  cost: ({ index }, { results, count }) => ({ flops: 0, reads: results + count(index) }),
  onnx: {
    plain: (operation, context) => lower(operation, context, context.name(operation.x)),
    channelMajor(operation, context) {
      const tokens = context.toGraphOrder(context.name(operation.x), 3);
      return context.fromGraphOrder(lower(operation, context, tokens), 2);
    },
  },
  cuda(operation, context, { result }) {
    const [x, index] = [context.view(operation.x), context.view(operation.index)];
    const [, period] = context.extents(operation.x) as [number, number];
    context.emit({ kind: 'select_row', x, index, out: context.place(result), period });
  },
});
