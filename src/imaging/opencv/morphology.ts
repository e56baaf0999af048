/** OpenCV's dilate and erode of masks by a square of ones: beyond the edges lies nothing. */
import { tensor, type Tensor } from '../../compute/tensor.js';

/**
 * Masks N×H×W whose white grows by a square of `size` pixels, or shrinks by one of −`size`. Squares of an even side reach one pixel
 * further to the left and above when they grow.
 */
export function dilateBySquare(mask: Tensor, size: number): Tensor {
  if (size === 0) return mask;
  const [count = 0, height = 0, width = 0] = mask.shape;
  // What shrinks is the black that grows.
  const sign = Math.sign(size);
  const values = Float32Array.from(mask.data, (value) => value * sign);
  const side = Math.abs(size);
  const result = new Float32Array(values.length);
  for (let row = 0; row < count * height; row++) widest(values, result, row * width, 1, width, side);
  for (let column = 0; column < count * width; column++) {
    const start = Math.floor(column / width) * height * width + (column % width);
    widest(result, values, start, width, height, side);
  }
  return tensor(
    mask.shape,
    values.map((value) => value * sign),
  );
}

/** The largest of `side` neighbours along a line, from `side / 2` before each on. */
function widest(
  from: Float32Array,
  into: Float32Array,
  start: number,
  stride: number,
  length: number,
  side: number,
): void {
  const before = Math.floor(side / 2);
  const after = side - 1 - before;
  // Places whose values fall: the first is the largest of the window.
  const falling: number[] = [];
  let first = 0;
  for (let at = 0; at < length + after; at++) {
    if (at < length) {
      const value = from[start + at * stride]!;
      while (falling.length > first && from[start + falling.at(-1)! * stride]! <= value) falling.pop();
      falling.push(at);
    }
    const place = at - after;
    if (place < 0) continue;
    while (falling[first]! < place - before) first++;
    into[start + place * stride] = from[start + falling[first]! * stride]!;
  }
}
