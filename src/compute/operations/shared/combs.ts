/** Pictures cut into combs: pixels as far apart as a grid's lines. */
import { entry, extents, type NodeWriter } from '../../lowering/onnx/nodes.js';

/** Cells of `size`×`size` pixels (`step`), or `size`×`size` cells (`count`). */
export interface CombSize {
  readonly size: number;
  readonly by: 'count' | 'step';
}

export interface CombExtents {
  readonly channels: string;
  readonly batch: string;
  readonly rows: string;
  readonly inRow: string;
  readonly columns: string;
  readonly inColumn: string;
}

/** C×N×cells×within×cells×within, as int64 vectors of one, for a channel-major picture. */
export function combExtents(
  nodes: NodeWriter,
  like: string,
  channels: number,
  { size, by }: CombSize,
): CombExtents {
  const { model } = nodes;
  const others = nodes.node('Div', [extents(nodes, like, 2, 4), model.ints([size, size])]);
  const [rows, columns] = [entry(nodes, others, 0), entry(nodes, others, 1)];
  const own = model.ints([size]);
  const batch = extents(nodes, like, 1, 2);
  const whole = { channels: model.ints([channels]), batch };
  return by === 'count'
    ? { ...whole, rows: own, inRow: rows, columns: own, inColumn: columns }
    : { ...whole, rows, inRow: own, columns, inColumn: own };
}
