/** Float images in [0, 1] as 8-bit pixels. */
import { tensor, type Tensor } from '../compute/tensor.js';

/** 8-bit pixels, row by row, channels interleaved. */
export interface BytePicture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/**
 * One image of N×H×W×C as ComfyUI saves it: `np.clip(255 * x, 0, 255).astype(uint8)`, which cuts fractions off rather than
 * rounding them; NaN becomes 0.
 */
export function toPicture(image: Tensor, index: number): BytePicture {
  const [, height, width, channels] = image.shape as readonly [number, number, number, number];
  const length = height * width * channels;
  const values = image.data.subarray(index * length, (index + 1) * length);
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const value = Math.fround(255 * values[i]!);
    data[i] = value > 255 ? 255 : value > 0 ? value : 0;
  }
  return { width, height, channels, data };
}

/** Images as they are saved and read again: values of whole 255ths. */
export function inBytes(image: Tensor): Tensor {
  const [rows = 1] = image.shape;
  const length = image.data.length / rows;
  const result = tensor(image.shape);
  for (let row = 0; row < rows; row++) {
    toPicture(image, row).data.forEach((value, at) => (result.data[row * length + at] = value / 255));
  }
  return result;
}
