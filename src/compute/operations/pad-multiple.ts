import { roundUpDim } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import { extents, join } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** Zeros below and on the right, up to a multiple of `multiple`. */
export interface PadMultiple {
  readonly kind: 'pad_multiple';
  readonly x: Value;
  readonly multiple: number;
}

function lower({ x: operand, multiple }: PadMultiple, nodes: OnnxContext): string {
  const { model } = nodes;
  const x = nodes.name(operand);
  const over = nodes.node('Mod', [extents(nodes, x, 2, 4), model.ints([multiple, multiple])]);
  const missing = nodes.node('Mod', [
    nodes.node('Sub', [model.ints([multiple, multiple]), over]),
    model.ints([multiple, multiple]),
  ]);
  return nodes.node('Pad', [x, join(nodes, [0, 0, 0, 0, 0, 0], missing)]);
}

export const padMultiple = defineOperation<PadMultiple>()({
  kind: 'pad_multiple',
  operands: { x: true },
  weights: {},
  build: {
    padMultiple(graph: NodeBuilder<PadMultiple>, x: Value, multiple: number): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'pad_multiple');
      const size = [roundUpDim(height, multiple), roundUpDim(width, multiple)];
      return graph.emit({ kind: 'pad_multiple', x, multiple }, [batch, channels, ...size]);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: inEitherOrder(lower),
  cuda: computedOnCpu,
});
