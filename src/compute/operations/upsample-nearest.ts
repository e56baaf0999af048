import { pictureSizes } from '../lowering/cuda/context.js';
import { multiplyDims } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { extents, join } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { defineOperation, inEitherOrder } from './definition.js';

/** Nearest neighbour to the spatial size of another value, or by a whole factor. */
export interface UpsampleNearest {
  readonly kind: 'upsample_nearest';
  readonly x: Value;
  readonly to: Value | number;
}

/** Floor of the scaled coordinate, as torch.nn.functional.interpolate(mode='nearest'). */
const NEAREST = {
  mode: 'nearest',
  coordinate_transformation_mode: 'asymmetric',
  nearest_mode: 'floor',
} as const;

export const upsampleNearest = defineOperation<UpsampleNearest>()({
  kind: 'upsample_nearest',
  operands: { x: true, to: true },
  weights: {},
  build: {
    upsampleNearest(graph: NodeBuilder<UpsampleNearest>, x: Value, to: Value | number): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'upsample_nearest');
      const size =
        typeof to === 'number'
          ? [multiplyDims(height, to), multiplyDims(width, to)]
          : shapeOf(graph, to, 4, 'upsample_nearest').slice(2);
      return graph.emit({ kind: 'upsample_nearest', x, to }, [batch, channels, ...size]);
    },
  },
  // Of `to`, only the size is looked at.
  cost: ({ x }, { count }) => ({ flops: 0, reads: count(x) }),
  onnx: inEitherOrder(({ x, to }, context) => {
    if (typeof to === 'number') {
      const factors = context.model.floats([4], [1, 1, to, to]);
      return context.node('Resize', [context.name(x), '', factors], NEAREST);
    }
    const unchanged = extents(context, context.name(x), 0, 2);
    const sizes = join(context, unchanged, extents(context, context.name(to), 2, 4));
    return context.node('Resize', [context.name(x), '', '', sizes], NEAREST);
  }),
  // Convolutions behind it may read the enlarged image out of the small one.
  cuda({ x }, context, { result }) {
    if (context.smallSource(result) !== undefined) return;
    context.emit({ kind: 'resize', ...pictureSizes(x, result, context) });
  },
});
