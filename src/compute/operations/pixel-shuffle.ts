import { pictureSizes } from '../lowering/cuda/context.js';
import { formatShape, multiplyDims } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { pixelShuffle as lower } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';

/** N×(C·f²)×H×W → N×C×(H·f)×(W·f). */
export interface PixelShuffle {
  readonly kind: 'pixel_shuffle';
  readonly x: Value;
  readonly factor: number;
}

export const pixelShuffle = defineOperation<PixelShuffle>()({
  kind: 'pixel_shuffle',
  operands: { x: true },
  weights: {},
  build: {
    pixelShuffle(graph: NodeBuilder<PixelShuffle>, x: Value, factor: number): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'pixel_shuffle');
      graph.check(
        typeof channels === 'number' && channels % factor ** 2 === 0,
        `pixel_shuffle by ${factor} can't take ${formatShape(x.shape)}`,
      );
      return graph.emit({ kind: 'pixel_shuffle', x, factor }, [
        batch,
        channels / factor ** 2,
        multiplyDims(height, factor),
        multiplyDims(width, factor),
      ]);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain: ({ x, factor }, context) => lower(context, context.name(x), factor),
    channelMajor: (operation, context) =>
      context.inGraphOrder(operation.x, (x) => lower(context, x, operation.factor)),
  },
  cuda({ x }, context, { result }) {
    context.emit({ kind: 'pixel_shuffle', ...pictureSizes(x, result, context) });
  },
});
