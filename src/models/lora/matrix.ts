/** The little linear algebra that LoRAs need, in float32. */
import type { Weight } from '../../compute/weight.js';
import { addProduct } from '../../native/addon.js';
import { readValues } from './lora-file.js';
import type { Scratch } from './scratch.js';

/** A row-major matrix. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** Rows and columns of a weight whose axes from the second on are taken as one (torch's `flatten(start_dim=1)`). */
export function matrixShape(weight: Weight): { readonly rows: number; readonly columns: number } {
  const [rows = 1, ...rest] = weight.shape;
  return { rows, columns: rest.reduce((product, extent) => product * extent, 1) };
}

/** Reads a weight as such a matrix. */
export function readMatrix(weight: Weight): Matrix {
  return { ...matrixShape(weight), values: readValues(weight) };
}

/** a·b, in `scratch` if it is given. */
export function multiply(a: Matrix, b: Matrix, scratch?: Scratch): Matrix {
  const length = a.rows * b.columns;
  const values = scratch?.zeros(length) ?? new Float32Array(length);
  addProduct(values, a.values, b.values, a.rows, a.columns, b.columns, 1);
  return { rows: a.rows, columns: b.columns, values };
}

export function transpose({ rows, columns, values }: Matrix): Matrix {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column]!;
    }
  }
  return { rows: columns, columns: rows, values: turned };
}

/** Values of an a×b×c array as b×a×c. */
export function swapFirstAxes(values: Float32Array, a: number, b: number, c: number): Float32Array {
  const swapped = new Float32Array(values.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      const from = (i * b + j) * c;
      swapped.set(values.subarray(from, from + c), (j * a + i) * c);
    }
  }
  return swapped;
}

/**
 * core (i×j×k×l…) multiplied by `left` (i×p) along its first axis and by `right` (j×r) along its second: p×(r·k·l…).
 * LyCORIS' Tucker form, einsum('i j k l, j r, i p -> p r k l').
 */
export function tucker(core: Weight, left: Matrix, right: Matrix): Matrix {
  const [i = 1, j = 1, ...rest] = core.shape;
  const positions = rest.reduce((product, extent) => product * extent, 1);
  const alongFirst = multiply(transpose(left), { rows: i, columns: j * positions, values: readValues(core) });
  const p = alongFirst.rows;
  // p×j×positions, to j×(p·positions), so that the second axis comes to the front.
  const secondFirst = swapFirstAxes(alongFirst.values, p, j, positions);
  const both = multiply(transpose(right), { rows: j, columns: p * positions, values: secondFirst });
  return {
    rows: p,
    columns: right.columns * positions,
    values: swapFirstAxes(both.values, right.columns, p, positions),
  };
}

/**
 * The inverse of a square matrix of `size` rows, by Gauss-Jordan elimination with partial pivoting in float64.
 * Throws `RangeError` when it is singular.
 */
export function invert(values: Float32Array, size: number): Float32Array {
  const left = Float64Array.from(values);
  const right = new Float64Array(size * size);
  for (let i = 0; i < size; i++) right[i * size + i] = 1;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(left[row * size + column]!) > Math.abs(left[pivot * size + column]!)) pivot = row;
    }
    const value = left[pivot * size + column]!;
    if (value === 0) throw new RangeError(`a matrix of ${size} rows has no inverse`);
    for (const half of [left, right]) {
      swapRows(half, size, pivot, column);
      for (let i = 0; i < size; i++) half[column * size + i]! /= value;
    }
    for (let row = 0; row < size; row++) {
      const factor = left[row * size + column]!;
      if (row === column || factor === 0) continue;
      for (const half of [left, right]) {
        for (let i = 0; i < size; i++) half[row * size + i]! -= factor * half[column * size + i]!;
      }
    }
  }
  return Float32Array.from(right);
}

function swapRows(values: Float64Array, size: number, a: number, b: number): void {
  if (a === b) return;
  const row = values.slice(a * size, (a + 1) * size);
  values.copyWithin(a * size, b * size, (b + 1) * size);
  values.set(row, b * size);
}
