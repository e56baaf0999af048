/** Aligned faces as networks take and give them: 1×3×H×W, red, green, blue in [−1, 1]. */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import type { Picture } from './picture.js';

export function facePixels({ values, height, width }: Picture): Tensor {
  const pixels = tensor([1, 3, height, width]);
  const plane = height * width;
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < plane; i++) {
      pixels.data[c * plane + i] = (Math.fround(values[3 * i + 2 - c]! / 255) - 0.5) / 0.5;
    }
  }
  return pixels;
}

/** In whole numbers, as `tensor2img` makes them. */
export function faceOf(pixels: Tensor): Picture {
  const [, , height, width] = pixels.shape as [number, number, number, number];
  const plane = height * width;
  const values = new Float32Array(3 * plane);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < plane; i++) {
      const value = Math.min(Math.max(pixels.data[c * plane + i]!, -1), 1);
      values[3 * i + 2 - c] = roundHalfEven(Math.fround(Math.fround(Math.fround(value + 1) / 2) * 255));
    }
  }
  return { values, height, width, bytes: true };
}
