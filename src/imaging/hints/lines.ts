/** Lines and shapes found by arithmetic (comfyui_controlnet_aux src/custom_controlnet_aux: canny, pyracanny, binary, scribble, lineart_standard). */
import type { BytePicture } from '../bytes.js';
import { cannyBytes } from '../opencv/canny.js';
import { greyBytes, otsuLevel } from '../opencv/colours.js';
import { gaussianBlurValues } from '../opencv/gaussian-blur.js';
import { resizeArea } from '../opencv/resize.js';
import { resizeValues } from '../opencv/resize-taps.js';
import { greyOf, mapBytes } from './hint-size.js';

const { fround } = Math;

function valuesOf(picture: BytePicture) {
  return { ...picture, data: Float32Array.from(picture.data) };
}

/** One value of the three of each pixel. */
function eachPixel(
  { width, height }: Pick<BytePicture, 'width' | 'height'>,
  of: (at: number) => number,
): Float32Array {
  return Float32Array.from({ length: width * height }, (_, pixel) => of(3 * pixel));
}

/** What is darker than `threshold` as black, the rest as white; 0 and 255 have Otsu's method choose. */
export function binaryLines(picture: BytePicture, threshold: number): BytePicture {
  const grey = greyBytes(picture);
  const level = threshold === 0 || threshold === 255 ? otsuLevel(grey) : threshold;
  return mapBytes(grey, (value) => (value > level ? 255 : 0));
}

/** Dark strokes as black, the rest as white. */
export function scribbleLines(picture: BytePicture): BytePicture {
  const { data, width, height } = picture;
  const least = eachPixel(picture, (at) => Math.min(data[at]!, data[at + 1]!, data[at + 2]!));
  return greyOf(
    least.map((value) => (value < 127 ? 0 : 255)),
    height,
    width,
  );
}

/** White lines where a difference of two blurs is large. */
export function xdogLines(picture: BytePicture, threshold: number): BytePicture {
  const { width, height } = picture;
  const [sharp, soft] = [0.5, 5].map((sigma) => gaussianBlurValues(valuesOf(picture), sigma).data) as [
    Float32Array,
    Float32Array,
  ];
  const difference = (at: number) => fround(soft[at]! - sharp[at]!);
  const least = eachPixel(picture, (at) => Math.min(difference(at), difference(at + 1), difference(at + 2)));
  // 8-bit numbers wrap: 2·(255 − x) is kept modulo 256.
  const dog = greyOf(
    least.map((value) => 255 - value),
    height,
    width,
  );
  return mapBytes(dog, (value) => (((2 * (255 - value)) & 255) > threshold ? 255 : 0));
}

/** Lines darker than what is around them. */
export function standardLines(picture: BytePicture, sigma: number, threshold: number): BytePicture {
  const { data, width, height } = picture;
  const soft = gaussianBlurValues(valuesOf(picture), sigma).data;
  const difference = (at: number) => fround(soft[at]! - data[at]!);
  const intensity = eachPixel(picture, (at) =>
    Math.min(Math.max(Math.min(difference(at), difference(at + 1), difference(at + 2)), 0), 255),
  );
  const strong = intensity.filter((value) => value > threshold).sort();
  const middle = median(strong);
  const scale = middle > 16 ? fround(middle) : 16;
  return greyOf(
    intensity.map((value) => fround(fround(value / scale) * 127)),
    height,
    width,
  );
}

/** Of sorted values; NaN of none, as numpy's, which is larger than nothing. */
function median(sorted: Float32Array): number {
  if (sorted.length === 0) return NaN;
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : fround((sorted[half - 1]! + sorted[half]!) / 2);
}

/** Canny's edges of each colour at nine sizes, together. */
export function pyramidEdges(picture: BytePicture, low: number, high: number): BytePicture {
  const { width, height } = picture;
  let sum: { readonly data: ArrayLike<number>; readonly width: number; readonly height: number } | undefined;
  for (const factor of [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]) {
    const [rows, columns] = [Math.trunc(height * factor), Math.trunc(width * factor)];
    const edges = colourEdges(resizeArea(picture, rows, columns), low, high);
    if (sum === undefined) {
      sum = { data: edges, width: columns, height: rows };
      continue;
    }
    const before = resizeValues({ ...sum, channels: 3 }, 'linear', rows, columns);
    const data = edges.map((edge, at) => fround(fround(before[at]! * 0.75) + fround(edge * 0.25)));
    sum = { data, width: columns, height: rows };
  }
  const { data } = sum!;
  const total = eachPixel({ width, height }, (at) =>
    fround(fround(data[at]! + data[at + 1]!) + data[at + 2]!),
  );
  const sorted = total.slice().sort();
  const [least, most] = [percentile(sorted, 1), percentile(sorted, 99)];
  const range = fround(most - least);
  return greyOf(
    total.map((value) => fround(fround(fround(value - least) / range) * 255)),
    height,
    width,
  );
}

function colourEdges({ data, width, height }: BytePicture, low: number, high: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let c = 0; c < 3; c++) {
    const plane = Uint8Array.from({ length: width * height }, (_, pixel) => data[3 * pixel + c]!);
    const edges = cannyBytes({ width, height, channels: 1, data: plane }, low, high);
    edges.data.forEach((value, pixel) => (result[3 * pixel + c] = value / 255));
  }
  return result;
}

/** numpy.percentile of sorted float32 values. */
function percentile(sorted: Float32Array, percent: number): number {
  const at = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(at);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  const share = at - below;
  return fround(share >= 0.5 ? high - (high - low) * (1 - share) : low + (high - low) * share);
}
