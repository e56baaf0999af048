import { multiplyDims } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import { join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { combExtents, type CombSize } from './shared/combs.js';
import { cellsOf, cutInEitherOrder } from './shared/cut-pictures.js';

/**
 * Pixels as far apart as a grid's lines, as tokens. N×C×H×W is cut into cells; tokens are the pixels at one place of all cells:
 * (N·places)×cells×C.
 */
export interface Combs extends CombSize {
  readonly kind: 'combs';
  readonly x: Value;
}

/** A channel-major picture: C×N×H×W → C×(N·places)×cells */
function lower(nodes: NodeWriter, operation: Combs, x: string): string {
  const channels = Number(operation.x.shape[1]);
  const parts = combExtents(nodes, x, channels, operation);
  const { rows, inRow, columns, inColumn } = parts;
  const shape = join(nodes, parts.channels, parts.batch, rows, inRow, columns, inColumn);
  const cut = nodes.node('Reshape', [x, shape]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 3, 5, 2, 4] });
  const tokens = nodes.node('Mul', [rows, columns]);
  return nodes.node('Reshape', [moved, join(nodes, [channels, -1], tokens)]);
}

export const combs = defineOperation<Combs>()({
  kind: 'combs',
  operands: { x: true },
  weights: {},
  build: {
    combs(graph: NodeBuilder<Combs>, x: Value, size: number, by: CombSize['by']): Value {
      const { batch, channels, cells } = cellsOf(graph, x, size, size, 'combs');
      const [places, tokens] = by === 'count' ? [cells, size * size] : [size * size, cells];
      return graph.emit({ kind: 'combs', x, size, by }, [multiplyDims(batch, places), tokens, channels]);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: cutInEitherOrder(lower),
  cuda: computedOnCpu,
});
