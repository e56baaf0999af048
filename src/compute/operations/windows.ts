import { multiplyDims } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import { extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { cellsOf, cutInEitherOrder } from './shared/cut-pictures.js';

/** N×C×H×W cut into windows that tile it, as tokens: (N·windows)×(height·width)×C. */
export interface Windows {
  readonly kind: 'windows';
  readonly x: Value;
  readonly height: number;
  readonly width: number;
}

/** A channel-major picture, C×N×H×W → C×(N·windows)×(height·width). */
function lower(nodes: NodeWriter, { x: { shape }, height, width }: Windows, x: string): string {
  const channels = Number(shape[1]);
  const columns = nodes.node('Div', [extents(nodes, x, 3, 4), nodes.model.ints([width])]);
  const cut = nodes.node('Reshape', [x, join(nodes, [channels, -1, height], columns, [width])]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 3, 2, 4] });
  return nodes.node('Reshape', [moved, nodes.model.ints([channels, -1, height * width])]);
}

export const windows = defineOperation<Windows>()({
  kind: 'windows',
  operands: { x: true },
  weights: {},
  build: {
    /** Extents that the window doesn't divide fail when the graph runs. */
    windows(graph: NodeBuilder<Windows>, x: Value, height: number, width: number): Value {
      const { batch, channels, cells } = cellsOf(graph, x, height, width, 'windows');
      const shape = [multiplyDims(batch, cells), height * width, channels];
      return graph.emit({ kind: 'windows', x, height, width }, shape);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: cutInEitherOrder(lower),
  cuda: computedOnCpu,
});
