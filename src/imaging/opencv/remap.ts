/** OpenCV's remap with INTER_LINEAR of 8-bit pictures: pixels from places of their own. */
import type { BytePicture } from '../bytes.js';
import { roundHalfEven } from '../rounding.js';

const { fround } = Math;

/** `flow` has x and y for each pixel of the result, which has the picture's size; beyond the picture is black. */
export function remapBytes(picture: BytePicture, flow: Float32Array): BytePicture {
  const { width, height, channels, data } = picture;
  const result = new Uint8Array(data.length);
  const at = (y: number, x: number, c: number) =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : data[(y * width + x) * channels + c]!;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [x, y] = [flow[2 * pixel]!, flow[2 * pixel + 1]!];
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [right, low] = [fround(x - left), fround(y - top)];
    for (let c = 0; c < channels; c++) {
      const mix = (a: number, b: number, share: number) => fround(a + fround(fround(b - a) * share));
      const upper = mix(at(top, left, c), at(top, left + 1, c), right);
      const lower = mix(at(top + 1, left, c), at(top + 1, left + 1, c), right);
      result[pixel * channels + c] = roundHalfEven(mix(upper, lower, low));
    }
  }
  return { width, height, channels, data: result };
}
