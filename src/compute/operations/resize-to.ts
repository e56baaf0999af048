import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { BILINEAR, extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** torch's bilinear interpolation (align_corners false) to the spatial size of `to`. */
export interface ResizeTo {
  readonly kind: 'resize_to';
  readonly x: Value;
  readonly to: Value;
}

/** ONNX Runtime's kernel is fast in the graph's order of axes alone. */
function lower(nodes: NodeWriter, x: string, to: string): string {
  const sizes = join(nodes, extents(nodes, x, 0, 2), extents(nodes, to, 2, 4));
  return nodes.node('Resize', [x, '', '', sizes], BILINEAR);
}

export const resizeTo = defineOperation<ResizeTo>()({
  kind: 'resize_to',
  operands: { x: true, to: true },
  weights: {},
  build: {
    resizeTo(graph: NodeBuilder<ResizeTo>, x: Value, to: Value): Value {
      const [batch, channels] = shapeOf(graph, x, 4, 'resize_to');
      const [, , height, width] = shapeOf(graph, to, 4, 'resize_to');
      return graph.emit({ kind: 'resize_to', x, to }, [batch, channels, height, width]);
    },
  },
  // Of `to`, only the size is looked at.
  cost: ({ x }, { results, count }) => ({ flops: results * 7, reads: count(x) }),
  onnx: {
    plain: ({ x, to }, context) => lower(context, context.name(x), context.name(to)),
    channelMajor: (operation, context) =>
      context.inGraphOrder(operation.x, (x) => lower(context, x, context.name(operation.to))),
  },
  cuda: computedOnCpu,
});
