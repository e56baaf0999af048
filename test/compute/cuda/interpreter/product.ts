import type { ProductInstruction } from '../../../../src/compute/lowering/cuda/program.js';
import { activate } from './activate.js';
import type { Memory } from './memory.js';

export interface PlainWeight {
  readonly values: Float32Array;
  readonly columns: number;
}

export type Weights = (index: number) => PlainWeight;

/** out = epilogue(x · weightᵀ), one number after the other. */
export function product(instruction: ProductInstruction, memory: Memory, weights: Weights): void {
  const { out, activation, bias, sums, rowsPerSum, residual } = instruction;
  const { values, columns } = weights(instruction.weight);
  const biases = bias === undefined ? undefined : weights(bias).values;
  const pairs = activation === 'geglu';
  const width = pairs ? 2 * out.columns : out.columns;
  const line = new Float32Array(columns);
  const results = new Float64Array(width);
  for (let row = 0; row < out.rows; row++) {
    gather(instruction, memory, row, line);
    for (let o = 0; o < width; o++) {
      let sum = biases?.[o] ?? 0;
      const base = o * columns;
      for (let k = 0; k < columns; k++) sum += line[k]! * values[base + k]!;
      results[o] = sum;
    }
    for (let column = 0; column < out.columns; column++) {
      const added = sums === undefined ? 0 : memory.read(sums, Math.floor(row / rowsPerSum), column);
      let value = pairs
        ? results[2 * column]! * activate('gelu', results[2 * column + 1]!)
        : results[column]! + added;
      if (activation !== undefined && !pairs) value = activate(activation, value);
      if (residual !== undefined) value += memory.read(residual, row, column);
      memory.write(out, row, column, value);
    }
  }
}

/** What one row of the result is multiplied with: a row of x, or the pixels under the kernel. */
function gather({ x, window }: ProductInstruction, memory: Memory, row: number, line: Float32Array): void {
  const wide = Math.ceil(x.columns / 8) * 8;
  if (window === undefined) {
    const from = memory.row(x, row);
    line.set(memory.slots.subarray(from, from + line.length));
    return;
  }
  const { storedHeight, storedWidth, height, width, outHeight, outWidth, kernelHeight, kernelWidth } = window;
  const image = Math.floor(row / (outHeight * outWidth));
  const y = Math.floor(row / outWidth) % outHeight;
  const column = row % outWidth;
  line.fill(0);
  for (let ky = 0; ky < kernelHeight; ky++) {
    const iy = y * window.stride - window.top + ky;
    if (iy < 0 || iy >= height) continue;
    for (let kx = 0; kx < kernelWidth; kx++) {
      const ix = column * window.stride - window.left + kx;
      if (ix < 0 || ix >= width) continue;
      const sy = Math.floor((iy * storedHeight) / height);
      const sx = Math.floor((ix * storedWidth) / width);
      const from = memory.row(x, (image * storedHeight + sy) * storedWidth + sx);
      line.set(memory.slots.subarray(from, from + wide), (ky * kernelWidth + kx) * wide);
    }
  }
}
