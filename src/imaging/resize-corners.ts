/** Resizing that keeps the outermost values where they are: torch's `interpolate` with `align_corners`. */
import { tensor, type Tensor } from '../compute/tensor.js';

/** The cubic's free parameter in torch. */
const A = -0.75;

/** Weights of the values around a place that lies `t` behind the second of four, or behind the first of two. */
const WEIGHTS = {
  bilinear: (t: number) => [1 - t, t],
  bicubic: (t: number) => [outer(t + 1), inner(t), inner(1 - t), outer(2 - t)],
} as const;

function inner(x: number): number {
  return ((A + 2) * x - (A + 3)) * x * x + 1;
}

function outer(x: number): number {
  return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
}

/** Resizes planes, N×C×h×w, to `height` × `width`. */
export function resizeCorners(
  planes: Tensor,
  method: keyof typeof WEIGHTS,
  { width, height }: { readonly width: number; readonly height: number },
): Tensor {
  const [batch = 0, channels = 0, fromHeight = 0, fromWidth = 0] = planes.shape;
  const columns = tapsOf(fromWidth, width, method);
  const rows = tapsOf(fromHeight, height, method);
  const result = tensor([batch, channels, height, width]);
  for (let plane = 0; plane < batch * channels; plane++) {
    const from = planes.data.subarray(plane * fromHeight * fromWidth);
    let into = plane * height * width;
    for (const row of rows) {
      for (const column of columns) {
        let sum = 0;
        for (const [y, weightY] of row) {
          let line = 0;
          for (const [x, weightX] of column) line += from[y * fromWidth + x]! * weightX;
          sum += line * weightY;
        }
        result.data[into++] = sum;
      }
    }
  }
  return result;
}

/** Per place, the values that it is made of and their weights. */
function tapsOf(from: number, to: number, method: keyof typeof WEIGHTS): (readonly [number, number])[][] {
  const scale = to > 1 ? Math.fround((from - 1) / (to - 1)) : 0;
  const weights = WEIGHTS[method];
  return Array.from({ length: to }, (_, at) => {
    const place = Math.fround(at * scale);
    const first = Math.min(Math.floor(place), from - 1);
    const taps = weights(place - first);
    const start = first - (taps.length / 2 - 1);
    return taps.map((weight, tap) => [Math.min(Math.max(start + tap, 0), from - 1), weight] as const);
  });
}
