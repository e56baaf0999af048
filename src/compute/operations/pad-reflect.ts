import { addDims } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { Padding, Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** Pads with the mirror image, the border itself left out. */
export interface PadReflect {
  readonly kind: 'pad_reflect';
  readonly x: Value;
  readonly padding: Padding;
}

export const padReflect = defineOperation<PadReflect>()({
  kind: 'pad_reflect',
  operands: { x: true },
  weights: {},
  build: {
    padReflect(graph: NodeBuilder<PadReflect>, x: Value, padding: Padding): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'pad_reflect');
      const [top, left, bottom, right] = padding;
      const size = [addDims(height, top + bottom), addDims(width, left + right)];
      return graph.emit({ kind: 'pad_reflect', x, padding }, [batch, channels, ...size]);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: inEitherOrder(({ x, padding: [top, left, bottom, right] }, context) => {
    const margins = context.model.ints([0, 0, top, left, 0, 0, bottom, right]);
    return context.node('Pad', [context.name(x), margins], { mode: 'reflect' });
  }),
  cuda: computedOnCpu,
});
