import { multiplyDims } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import { extents, range, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { cellsOf, cutInEitherOrder } from './shared/cut-pictures.js';

/** As `windows` with `stride` for their distance, each `size` wide and centred on its tile; beyond the picture are zeros. */
export interface WideWindows {
  readonly kind: 'wide_windows';
  readonly x: Value;
  readonly size: number;
  readonly stride: number;
}

/** A channel-major picture: C×N×H×W → C×(N·windows)×(size·size). */
function lower(nodes: NodeWriter, { x: { shape }, size, stride }: WideWindows, x: string): string {
  const { model } = nodes;
  const channels = Number(shape[1]);
  const margin = (size - stride) / 2;
  const padded = nodes.node('Pad', [x, model.ints([0, 0, margin, margin, 0, 0, margin, margin])]);
  const along = (values: string, axis: number): string => {
    const starts = range(nodes, extents(nodes, x, axis, axis + 1), stride);
    const within = model.ints(Array.from({ length: size }, (_, index) => index));
    const places = nodes.node('Add', [nodes.node('Unsqueeze', [starts, model.ints([1])]), within]);
    return nodes.node('Gather', [values, places], { axis: axis === 2 ? 2 : 4 });
  };
  // C×N×H'×W' → C×N×nH×size×W' → C×N×nH×size×nW×size
  const cut = along(along(padded, 2), 3);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 2, 4, 3, 5] });
  return nodes.node('Reshape', [moved, model.ints([channels, -1, size * size])]);
}

export const wideWindows = defineOperation<WideWindows>()({
  kind: 'wide_windows',
  operands: { x: true },
  weights: {},
  build: {
    wideWindows(graph: NodeBuilder<WideWindows>, x: Value, size: number, stride: number): Value {
      const { batch, channels, cells } = cellsOf(graph, x, stride, stride, 'wide_windows');
      graph.check(
        (size - stride) % 2 === 0 && size >= stride,
        `wide_windows can't centre ${size} on ${stride}`,
      );
      const shape = [multiplyDims(batch, cells), size * size, channels];
      return graph.emit({ kind: 'wide_windows', x, size, stride }, shape);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: cutInEitherOrder(lower),
  cuda: computedOnCpu,
});
