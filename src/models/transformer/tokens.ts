/** Tokens N×T×C as arrays. */
import { tensor, type Tensor } from '../../compute/tensor.js';

/** Tokens of `b` behind those of `a`, row by row. */
export function joinTokens(a: Tensor, b: Tensor): Tensor {
  const [rows = 1, own = 0, width = 0] = a.shape;
  const [, others = 0] = b.shape;
  const joined = tensor([rows, own + others, width]);
  for (let row = 0; row < rows; row++) {
    const at = row * (own + others) * width;
    joined.data.set(a.data.subarray(row * own * width, (row + 1) * own * width), at);
    joined.data.set(b.data.subarray(row * others * width, (row + 1) * others * width), at + own * width);
  }
  return joined;
}

/** The first `count` tokens of each row. */
export function firstTokens(x: Tensor, count: number): Tensor {
  return tokensFrom(x, 0, count);
}

/** `count` tokens of each row, from `start` on. */
export function tokensFrom(x: Tensor, start: number, count: number): Tensor {
  const [rows = 1, tokens = 0, width = 0] = x.shape;
  if (tokens === count) return x;
  const taken = tensor([rows, count, width]);
  for (let row = 0; row < rows; row++) {
    const from = (row * tokens + start) * width;
    taken.data.set(x.data.subarray(from, from + count * width), row * count * width);
  }
  return taken;
}
