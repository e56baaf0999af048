import { formatShape } from '../dim.js';
import { shapeOf, weightShape, type NodeBuilder } from '../node-builder.js';
import { transposedWeight } from '../lowering/onnx/weight-table.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** The row of the table (K×C) with the highest score, for each token: N×T×K → N×T×C. */
export interface SelectRows {
  readonly kind: 'select_rows';
  readonly scores: Value;
  readonly table: Weight;
}

export const selectRows = defineOperation<SelectRows>()({
  kind: 'select_rows',
  operands: { scores: true },
  weights: { table: true },
  build: {
    selectRows(graph: NodeBuilder<SelectRows>, scores: Value, table: Weight): Value {
      const [rows, channels] = weightShape(graph, table, 2);
      const [batch, tokens, classes] = shapeOf(graph, scores, 3, 'select_rows');
      graph.check(
        classes === rows,
        `select_rows needs ${rows} scores a token for ${table.name}, got ${formatShape(scores.shape)}`,
      );
      return graph.emit({ kind: 'select_rows', scores, table }, [batch, tokens, channels]);
    },
  },
  cost: ({ scores }, { count }) => ({ flops: count(scores) }),
  onnx: {
    plain({ scores, table }, context) {
      const best = context.node('ArgMax', [context.name(scores)], { axis: 2, keepdims: 0 });
      return context.node('Gather', [context.weight(table), best], { axis: 0 });
    },
    channelMajor({ scores, table }, context) {
      const [rows, channels] = table.shape as [number, number];
      const best = context.node('ArgMax', [context.name(scores)], { axis: 0, keepdims: 0 });
      const columns = context.model.floatTensor([channels, rows], transposedWeight(table));
      return context.node('Gather', [columns, best], { axis: 1 });
    },
  },
  cuda: computedOnCpu,
});
