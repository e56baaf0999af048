/** The arena of the plain interpreter: one float a half, two a float, at the places that the memory plan gives. */
import {
  ELEMENT_BYTES,
  type CudaProgram,
  type HalfFormat,
  type View,
} from '../../../../src/compute/lowering/cuda/program.js';

export type Rounding = (value: number) => number;

/** What storing a number does: nothing, or what the card's format does to it. */
export function roundingOf(precision: HalfFormat | 'none'): Rounding {
  if (precision === 'none') return (value) => value;
  const factor = Math.fround(precision === 'f16' ? 2 ** 13 + 1 : 2 ** 16 + 1);
  const largest = precision === 'f16' ? 65504 : 3.3895313892515355e38;
  const smallestNormal = precision === 'f16' ? 2 ** -14 : 2 ** -126;
  return (value) => {
    if (!Number.isFinite(value)) return value;
    if (Math.abs(value) < smallestNormal) return Math.round(value * 2 ** 24) * 2 ** -24;
    // Dekker's splitting keeps the upper half of the significand, rounded.
    const wide = Math.fround(value * factor);
    const rounded = Math.fround(wide - Math.fround(wide - Math.fround(value)));
    return Math.abs(rounded) > largest ? Math.sign(value) * Infinity : rounded;
  };
}

export class Memory {
  readonly slots: Float32Array;

  constructor(
    private readonly program: CudaProgram,
    readonly round: Rounding,
  ) {
    this.slots = new Float32Array(program.arenaBytes / 2).fill(NaN);
  }

  /** Forgets what lay where buffers begin to live at `time`, so that nothing reads what was never written. */
  begin(time: number): void {
    for (const { from, offset, bytes } of this.program.buffers) {
      if (from === time) this.slots.fill(NaN, offset / 2, (offset + bytes) / 2);
    }
  }

  /** The slot of column 0. */
  row(view: View, row: number): number {
    const scale = ELEMENT_BYTES[view.element] / 2;
    return this.program.buffers[view.buffer]!.offset / 2 + (view.offset + row * view.stride) * scale;
  }

  read(view: View, row: number, column: number): number {
    return this.slots[this.row(view, row) + column * (ELEMENT_BYTES[view.element] / 2)]!;
  }

  /** Half views are rounded; columns beyond the last one up to a whole vector become 0 with it. */
  write(view: View, row: number, column: number, value: number): void {
    const half = view.element === 'half';
    const slot = this.row(view, row) + column * (ELEMENT_BYTES[view.element] / 2);
    this.slots[slot] = half ? this.round(value) : value;
    if (half && column === view.columns - 1) {
      const padding = Math.ceil(view.columns / 8) * 8 - view.columns;
      if (padding > 0) this.slots.fill(0, slot + 1, slot + 1 + padding);
    }
  }

  /** out[r][c] = value(r, c) */
  fill(out: View, value: (row: number, column: number) => number): void {
    for (let row = 0; row < out.rows; row++) {
      for (let column = 0; column < out.columns; column++) this.write(out, row, column, value(row, column));
    }
  }
}
