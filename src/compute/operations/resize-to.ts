import { multiplyDims } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { BILINEAR, extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** torch's bilinear interpolation to the spatial size of `to`, times a whole factor. */
export interface ResizeTo {
  readonly kind: 'resize_to';
  readonly x: Value;
  readonly to: Value;
  readonly factor: number;
  /** The outermost pixels' centres stay where they are (torch's align_corners). */
  readonly keepsCorners: boolean;
}

/** ONNX Runtime's kernel is fast in the graph's order of axes alone. */
function lower(nodes: NodeWriter, { factor, keepsCorners }: ResizeTo, x: string, to: string): string {
  const same = extents(nodes, to, 2, 4);
  const size = factor === 1 ? same : nodes.node('Mul', [same, nodes.model.ints([factor])]);
  const sizes = join(nodes, extents(nodes, x, 0, 2), size);
  const corners = keepsCorners ? { coordinate_transformation_mode: 'align_corners' as const } : {};
  return nodes.node('Resize', [x, '', '', sizes], { ...BILINEAR, ...corners });
}

export const resizeTo = defineOperation<ResizeTo>()({
  kind: 'resize_to',
  operands: { x: true, to: true },
  weights: {},
  build: {
    resizeTo(
      graph: NodeBuilder<ResizeTo>,
      x: Value,
      to: Value,
      options: Partial<Pick<ResizeTo, 'factor' | 'keepsCorners'>> = {},
    ): Value {
      const { factor = 1, keepsCorners = false } = options;
      const [batch, channels] = shapeOf(graph, x, 4, 'resize_to');
      const [, , height, width] = shapeOf(graph, to, 4, 'resize_to');
      const size = [height, width].map((extent) => multiplyDims(extent, factor));
      return graph.emit({ kind: 'resize_to', x, to, factor, keepsCorners }, [batch, channels, ...size]);
    },
  },
  // Of `to`, only the size is looked at.
  cost: ({ x }, { results, count }) => ({ flops: results * 7, reads: count(x) }),
  onnx: {
    plain: (operation, context) =>
      lower(context, operation, context.name(operation.x), context.name(operation.to)),
    channelMajor: (operation, context) =>
      context.inGraphOrder(operation.x, (x) => lower(context, operation, x, context.name(operation.to))),
  },
  cuda: computedOnCpu,
});
