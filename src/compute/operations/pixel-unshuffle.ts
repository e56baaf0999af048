import { pictureSizes } from '../lowering/cuda/context.js';
import { divideDim, formatShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { entry, extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';

/** The inverse of `pixel_shuffle`: N×C×(H·f)×(W·f) → N×(C·f²)×H×W. */
export interface PixelUnshuffle {
  readonly kind: 'pixel_unshuffle';
  readonly x: Value;
  readonly factor: number;
}

/** In the graph's order of axes. */
function lower(nodes: NodeWriter, { x: { shape }, factor }: PixelUnshuffle, x: string): string {
  const channels = Number(shape[1]);
  const factors = nodes.model.ints([factor, factor]);
  const size = nodes.node('Div', [extents(nodes, x, 2, 4), factors]);
  const [rows, columns] = [entry(nodes, size, 0), entry(nodes, size, 1)];
  const cut = nodes.node('Reshape', [x, join(nodes, [-1], rows, [factor], columns, [factor])]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 2, 4, 1, 3] });
  return nodes.node('Reshape', [moved, join(nodes, [-1, channels * factor ** 2], size)]);
}

export const pixelUnshuffle = defineOperation<PixelUnshuffle>()({
  kind: 'pixel_unshuffle',
  operands: { x: true },
  weights: {},
  build: {
    /** Extents that `factor` doesn't divide fail when the graph runs. */
    pixelUnshuffle(graph: NodeBuilder<PixelUnshuffle>, x: Value, factor: number): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'pixel_unshuffle');
      graph.check(typeof channels === 'number', `pixel_unshuffle can't take ${formatShape(x.shape)}`);
      return graph.emit({ kind: 'pixel_unshuffle', x, factor }, [
        batch,
        channels * factor ** 2,
        divideDim(height, factor),
        divideDim(width, factor),
      ]);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain: (operation, context) => lower(context, operation, context.name(operation.x)),
    channelMajor: (operation, context) =>
      context.inGraphOrder(operation.x, (x) => lower(context, operation, x)),
  },
  cuda({ x }, context, { result }) {
    context.emit({ kind: 'pixel_unshuffle', ...pictureSizes(x, result, context) });
  },
});
