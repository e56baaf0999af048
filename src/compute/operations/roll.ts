import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { slice, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** torch.roll of rows and columns: what leaves the picture comes in on the other side. */
export interface Roll {
  readonly kind: 'roll';
  readonly x: Value;
  readonly rows: number;
  readonly columns: number;
}

function turn(nodes: NodeWriter, x: string, axis: number, by: number): string {
  if (by === 0) return x;
  const end = 2 ** 31;
  const parts = [slice(nodes, x, axis, -by, end), slice(nodes, x, axis, 0, -by)];
  return nodes.node('Concat', parts, { axis });
}

export const roll = defineOperation<Roll>()({
  kind: 'roll',
  operands: { x: true },
  weights: {},
  build: {
    /** Positive numbers move what there is down and to the right. */
    roll(graph: NodeBuilder<Roll>, x: Value, rows: number, columns: number): Value {
      shapeOf(graph, x, 4, 'roll');
      return graph.emit({ kind: 'roll', x, rows, columns }, x.shape);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: inEitherOrder(({ x, rows, columns }, context) =>
    turn(context, turn(context, context.name(x), 2, rows), 3, columns),
  ),
  cuda: computedOnCpu,
});
