/** Sums over the rows of a batch, in float64, and values scaled by them. */
import { tensor, type Tensor } from '../../compute/tensor.js';

/** Σ a·b of each row. */
export function rowProducts(a: Tensor, b: Tensor): number[] {
  const [rows = 1] = a.shape;
  const length = a.data.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let at = row * length; at < (row + 1) * length; at++) sum += a.data[at]! * b.data[at]!;
    return sum;
  });
}

/** Each value of `source` mapped, beside the number of its row. */
export function mapRows(source: Tensor, map: (value: number, row: number, index: number) => number): Tensor {
  const [rows = 1] = source.shape;
  const length = source.data.length / rows;
  return tensor(
    source.shape,
    source.data.map((value, index) => map(value, Math.floor(index / length), index)),
  );
}

/** The channels' Euclidean norm at each place: the shape without its axis 1, row-major. */
export function channelNorms({ shape, data }: Tensor): Float64Array {
  const [rows = 1, channels = 1] = shape;
  const area = data.length / rows / channels;
  const norms = new Float64Array(rows * area);
  data.forEach((value, index) => {
    norms[placeOf(index, channels, area)]! += value * value;
  });
  return norms.map(Math.sqrt);
}

/** Where the place of a value lies in `channelNorms`. */
export function placeOf(index: number, channels: number, area: number): number {
  return Math.floor(index / (channels * area)) * area + (index % area);
}
