/** The weights of a program as the card holds them: which of the checkpoint's tensors make each, and how they are laid out. */
import { elementCount } from '../../tensor.js';
import type { Weight } from '../../weight.js';
import { ELEMENT_BYTES, padded, type PackedWeight, type WeightLayout } from './program.js';

const ALIGNMENT = 256;

export class PackedWeights {
  readonly entries: PackedWeight[] = [];
  bytes = 0;
  private readonly places = new Map<string, number>();
  private readonly identities = new Map<Weight, number>();

  /** Linear layers one below the other, or a convolution (`taps`). */
  matrix(parts: readonly Weight[], layout: 'rows' | 'taps' | 'pairs'): number {
    const [first] = parts;
    const shape = first!.shape;
    const taps = elementCount(shape.slice(2));
    const rows = parts.reduce((sum, part) => sum + part.shape[0]!, 0);
    return this.place(parts, layout, 'half', rows, padded(shape[1]!) * taps, taps);
  }

  /** A bias or a norm's weight; for `pairs` in that order. Undefined when no part is given. */
  vector(parts: readonly (Weight | number)[], layout: 'vector' | 'pairs' = 'vector'): number | undefined {
    if (parts.every((part) => typeof part === 'number')) return undefined;
    const rows = parts.reduce<number>(
      (sum, part) => sum + (typeof part === 'number' ? part : elementCount(part.shape)),
      0,
    );
    return this.place(parts, layout, 'float', rows, 1, 1);
  }

  private place(
    parts: readonly (Weight | number)[],
    layout: WeightLayout,
    element: 'half' | 'float',
    rows: number,
    columns: number,
    taps: number,
  ): number {
    const key = `${layout} ${parts.map((part) => (typeof part === 'number' ? `${part}zeros` : this.identity(part))).join()}`;
    const known = this.places.get(key);
    if (known !== undefined) return known;
    const bytes = padded(rows) * columns * ELEMENT_BYTES[element];
    const index = this.entries.push({
      parts,
      layout,
      element,
      rows,
      columns,
      taps,
      offset: this.bytes,
      bytes,
    });
    this.bytes += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    this.places.set(key, index - 1);
    return index - 1;
  }

  private identity(weight: Weight): number {
    const known = this.identities.get(weight) ?? this.identities.size;
    this.identities.set(weight, known);
    return known;
  }
}

/** The values as the card holds them, in float32: `padded(rows) × columns`. */
export function packWeight({ parts, layout, rows, columns, taps }: PackedWeight): Float32Array {
  const packed = new Float32Array(padded(rows) * columns);
  const wide = columns / taps;
  let row = 0;
  for (const part of parts) {
    if (typeof part === 'number') {
      row += part;
      continue;
    }
    const values = new Float32Array(elementCount(part.shape));
    part.read(values);
    const count = part.shape[0]!;
    const channels = columns === 1 ? 1 : part.shape[1]!;
    for (let r = 0; r < count; r++) {
      const to = layout === 'pairs' ? pairedRow(r, count) : row + r;
      for (let c = 0; c < channels; c++) {
        for (let tap = 0; tap < taps; tap++) {
          packed[to * columns + tap * wide + c] = values[(r * channels + c) * taps + tap]!;
        }
      }
    }
    row += count;
  }
  return packed;
}

/** Rows of the first half become even ones, those of the second odd ones. */
export function pairedRow(row: number, count: number): number {
  const half = count / 2;
  return row < half ? 2 * row : 2 * (row - half) + 1;
}
