import { formatShape, multiplyDims, sameShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import {
  entry,
  extents,
  FLOAT,
  join,
  pixelShuffle,
  range,
  slice,
  type NodeWriter,
} from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** DySample's: each output pixel is read at its place plus an offset, by bilinear interpolation within the picture. */
export interface SampleOffsets {
  readonly kind: 'sample_offsets';
  readonly x: Value;
  /** N×(2·groups·factor²)×H×W, in pixels. */
  readonly offsets: Value;
  readonly factor: number;
  readonly groups: number;
}

/** Where it is read: the pixels' centres plus `offsets`, as grid_sample wants them (DySample.forward). In the graph's order. */
function lower(
  nodes: NodeWriter,
  { x: { shape }, factor, groups }: SampleOffsets,
  x: string,
  offsets: string,
): string {
  const { model } = nodes;
  const channels = Number(shape[1]);
  const size = extents(nodes, x, 2, 4);
  const [rows, columns] = [entry(nodes, size, 0), entry(nodes, size, 1)];
  const centres = (extent: string, shape: readonly number[]): string => {
    const places = nodes.node('Cast', [range(nodes, extent)], { to: FLOAT });
    return nodes.node('Reshape', [nodes.node('Add', [places, model.floats([], [0.5])]), model.ints(shape)]);
  };
  const axis = (index: number, extent: string, shape: readonly number[]): string => {
    const half = groups * factor ** 2;
    const moved = nodes.node('Add', [
      slice(nodes, offsets, 1, index * half, (index + 1) * half),
      centres(extent, shape),
    ]);
    const doubled = nodes.node('Mul', [moved, model.floats([], [2])]);
    const whole = nodes.node('Cast', [extent], { to: FLOAT });
    return nodes.node('Sub', [nodes.node('Div', [doubled, whole]), model.floats([], [1])]);
  };
  const places = [axis(0, columns, [1, 1, 1, -1]), axis(1, rows, [1, 1, -1, 1])];
  const larger = nodes.node('Mul', [size, model.ints([factor, factor])]);
  const grids = places.map((place) => {
    const shuffled = pixelShuffle(nodes, place, factor);
    return nodes.node('Reshape', [shuffled, join(nodes, [-1], larger, [1])]);
  });
  const grid = nodes.node('Concat', grids, { axis: 3 });
  const grouped = nodes.node('Reshape', [x, join(nodes, [-1, channels / groups], size)]);
  const read = nodes.node('GridSample', [grouped, grid], {
    mode: 'linear',
    padding_mode: 'border',
    align_corners: 0,
  });
  return nodes.node('Reshape', [read, join(nodes, [-1, channels], larger)]);
}

export const sampleOffsets = defineOperation<SampleOffsets>()({
  kind: 'sample_offsets',
  operands: { x: true, offsets: true },
  weights: {},
  build: {
    sampleOffsets(
      graph: NodeBuilder<SampleOffsets>,
      x: Value,
      offsets: Value,
      factor: number,
      groups: number,
    ): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'sample_offsets');
      graph.check(
        typeof channels === 'number' &&
          channels % groups === 0 &&
          sameShape(offsets.shape, [batch, 2 * groups * factor ** 2, height, width]),
        `sample_offsets can't read ${formatShape(x.shape)} at ${formatShape(offsets.shape)}`,
      );
      const size = [multiplyDims(height, factor), multiplyDims(width, factor)];
      return graph.emit({ kind: 'sample_offsets', x, offsets, factor, groups }, [batch, channels, ...size]);
    },
  },
  cost: (_, { results }) => ({ flops: results * 12 }),
  onnx: {
    plain: (operation, context) =>
      lower(context, operation, context.name(operation.x), context.name(operation.offsets)),
    channelMajor: (operation, context) =>
      context.inGraphOrder(operation.x, (x) =>
        lower(context, operation, x, context.toGraphOrder(context.name(operation.offsets), 4)),
      ),
  },
  cuda: computedOnCpu,
});
