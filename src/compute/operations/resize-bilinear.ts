import { multiplyDims, SymbolicDim, type Dim } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { BILINEAR } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** torch.nn.functional.interpolate(scale_factor, mode='bilinear'), twice the size or half of it. */
export interface ResizeBilinear {
  readonly kind: 'resize_bilinear';
  readonly x: Value;
  readonly factor: 2 | 0.5;
}

function halfOf(extent: Dim): Dim {
  if (typeof extent === 'number') return extent / 2;
  return SymbolicDim.derived(`(${extent.text}/2)`, (bindings) => extent.evaluate(bindings) / 2);
}

export const resizeBilinear = defineOperation<ResizeBilinear>()({
  kind: 'resize_bilinear',
  operands: { x: true },
  weights: {},
  build: {
    /** Extents to be halved are even. */
    resizeBilinear(graph: NodeBuilder<ResizeBilinear>, x: Value, factor: 2 | 0.5): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'resize_bilinear');
      const size = (extent: Dim) => (factor === 2 ? multiplyDims(extent, 2) : halfOf(extent));
      const shape = [batch, channels, size(height), size(width)];
      return graph.emit({ kind: 'resize_bilinear', x, factor }, shape);
    },
  },
  cost: (_, { results }) => ({ flops: results * 8 }),
  onnx: inEitherOrder(({ x, factor }, context) =>
    context.node(
      'Resize',
      [context.name(x), '', context.model.floats([4], [1, 1, factor, factor])],
      BILINEAR,
    ),
  ),
  cuda: computedOnCpu,
});
