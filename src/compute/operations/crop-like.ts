import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { extents } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** The upper left part of N×C×H×W, as large as `like`. */
export interface CropLike {
  readonly kind: 'crop_like';
  readonly x: Value;
  readonly like: Value;
}

export const cropLike = defineOperation<CropLike>()({
  kind: 'crop_like',
  operands: { x: true, like: true },
  weights: {},
  build: {
    /** Extents smaller than those of `like` fail when the graph runs. */
    cropLike(graph: NodeBuilder<CropLike>, x: Value, like: Value): Value {
      const [batch, channels] = shapeOf(graph, x, 4, 'crop_like');
      const [, , height, width] = shapeOf(graph, like, 4, 'crop_like');
      return graph.emit({ kind: 'crop_like', x, like }, [batch, channels, height, width]);
    },
  },
  // Of `like`, only the size is looked at.
  cost: ({ x }, { count }) => ({ flops: 0, reads: count(x) }),
  onnx: inEitherOrder(({ x, like }, context) => {
    const { model } = context;
    const ends = extents(context, context.name(like), 2, 4);
    return context.node('Slice', [context.name(x), model.ints([0, 0]), ends, model.ints([2, 3])]);
  }),
  cuda: computedOnCpu,
});
