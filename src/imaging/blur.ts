/** Gaussian blur as ComfyUI has it (comfy_extras/nodes_post_processing.py, gaussian_kernel), of images N×H×W×C. */
import { tensor, type Tensor } from '../compute/tensor.js';

export interface BlurOptions {
  /** Pixels on either side. */
  readonly radius: number;
  /** In radii. */
  readonly sigma: number;
}

/** Edges are mirrored. Throws `RangeError` for images that are not larger than the radius. */
export function gaussianBlur(image: Tensor, { radius, sigma }: BlurOptions): Tensor {
  const [count = 0, height = 0, width = 0, channels = 0] = image.shape;
  if (radius >= height || radius >= width) {
    throw new RangeError(`a radius of ${radius} pixels needs a larger image than ${width}×${height}`);
  }
  const taps = gaussian(radius, sigma);
  const rows = blurLines(image.data, { lines: count * height, length: width, inner: channels }, taps);
  const both = blurLines(rows, { lines: count, length: height, inner: width * channels }, taps);
  return tensor(image.shape, Float32Array.from(both));
}

/** OpenCV's GaussianBlur with a kernel of 2.5 sigmas on either side, as A1111 blurs masks. Sigmas are pixels, 0 for no blur that way; edges are mirrored. */
export function gaussianBlurBy(image: Tensor, sigmas: { readonly x: number; readonly y: number }): Tensor {
  const [count = 0, height = 0, width = 0, channels = 0] = image.shape;
  const taps = (sigma: number, extent: number) => {
    const radius = Math.min(Math.trunc(2.5 * sigma + 0.5), extent - 1);
    return radius < 1 ? undefined : gaussian(radius, sigma / radius);
  };
  const [across, down] = [taps(sigmas.x, width), taps(sigmas.y, height)];
  let values: Float32Array | Float64Array = image.data;
  if (across !== undefined) {
    values = blurLines(values, { lines: count * height, length: width, inner: channels }, across);
  }
  if (down !== undefined) {
    values = blurLines(values, { lines: count, length: height, inner: width * channels }, down);
  }
  return tensor(image.shape, Float32Array.from(values));
}

/** exp(−x²/2σ²) at 2·radius + 1 places from −1 to 1, with a sum of 1: the kernel is a product of two of these. */
function gaussian(radius: number, sigma: number): Float64Array {
  const taps = Float64Array.from({ length: 2 * radius + 1 }, (_, at) =>
    Math.exp(-((at / radius - 1) ** 2) / (2 * sigma * sigma)),
  );
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

interface Lines {
  readonly lines: number;
  readonly length: number;
  /** Neighbouring values that move together. */
  readonly inner: number;
}

function blurLines(
  values: Float32Array | Float64Array,
  { lines, length, inner }: Lines,
  taps: Float64Array,
): Float64Array {
  const radius = (taps.length - 1) / 2;
  const result = new Float64Array(values.length);
  for (let line = 0; line < lines; line++) {
    const start = line * length * inner;
    for (let at = 0; at < length; at++) {
      const into = start + at * inner;
      taps.forEach((tap, index) => {
        const place = Math.abs(at + index - radius);
        const from = start + (place < length ? place : 2 * (length - 1) - place) * inner;
        for (let i = 0; i < inner; i++) result[into + i]! += tap * values[from + i]!;
      });
    }
  }
  return result;
}
