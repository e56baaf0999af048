/** torch's bicubic interpolation with antialiasing (ATen/native/cpu/UpSampleKernel.cpp, `_upsample_bicubic2d_aa`). */
import { tensor, type Tensor } from '../compute/tensor.js';

const { fround } = Math;

/** Keys' parameter, as Pillow has it. */
const A = -0.5;
/** Pixels that the kernel spans without scaling. */
const SPAN = 4;

/** Planes N×C×H×W at another size; columns first, then rows, in float32. */
export function bicubicAntialiased(planes: Tensor, height: number, width: number): Tensor {
  const [rows = 1, channels = 1, fromHeight = 1, fromWidth = 1] = planes.shape;
  const across = taps(fromWidth, width);
  const down = taps(fromHeight, height);
  const wide = new Float32Array(rows * channels * fromHeight * width);
  for (let line = 0; line < rows * channels * fromHeight; line++) {
    for (let x = 0; x < width; x++) {
      wide[line * width + x] = weighted(planes.data, line * fromWidth, 1, across[x]!);
    }
  }
  const result = tensor([rows, channels, height, width]);
  for (let plane = 0; plane < rows * channels; plane++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        result.data[(plane * height + y) * width + x] = weighted(
          wide,
          plane * fromHeight * width + x,
          width,
          down[y]!,
        );
      }
    }
  }
  return result;
}

/** Images N×H×W×C at another size. */
export function imageAntialiased(image: Tensor, height: number, width: number): Tensor {
  const [batch = 1, ownHeight = 1, ownWidth = 1, channels = 1] = image.shape;
  const planes = tensor([batch, channels, ownHeight, ownWidth]);
  const own = ownHeight * ownWidth;
  image.data.forEach((value, at) => {
    const [pixel, channel] = [Math.floor(at / channels), at % channels];
    planes.data[(Math.floor(pixel / own) * channels + channel) * own + (pixel % own)] = value;
  });
  const resized = bicubicAntialiased(planes, height, width);
  const result = tensor([batch, height, width, channels]);
  const size = height * width;
  result.data.forEach((_, at) => {
    const [pixel, channel] = [Math.floor(at / channels), at % channels];
    result.data[at] = resized.data[(Math.floor(pixel / size) * channels + channel) * size + (pixel % size)]!;
  });
  return result;
}

interface Taps {
  readonly first: number;
  readonly weights: Float32Array;
}

/** The compiler adds products in groups, and fuses the last ones with their sums; a double holds a product exactly. */
const GROUP = 4;

function weighted(data: Float32Array, start: number, step: number, { first, weights }: Taps): number {
  const at = start + first * step;
  const grouped = weights.length - ((weights.length - 1) % GROUP);
  let sum = fround(data[at]! * weights[0]!);
  for (let tap = 1; tap < grouped; tap++) sum = fround(sum + fround(data[at + tap * step]! * weights[tap]!));
  for (let tap = grouped; tap < weights.length; tap++) {
    sum = fround(sum + data[at + tap * step]! * weights[tap]!);
  }
  return sum;
}

function taps(from: number, to: number): readonly Taps[] {
  const scale = fround(from / to);
  const support = fround(scale >= 1 ? (SPAN / 2) * scale : SPAN / 2);
  const inverse = scale >= 1 ? fround(1 / scale) : 1;
  return Array.from({ length: to }, (_, index) => {
    const center = fround(scale * (index + 0.5));
    const first = Math.max(Math.trunc(fround(center - support) + 0.5), 0);
    const end = Math.min(Math.trunc(fround(center + support) + 0.5), from);
    const weights = new Float32Array(end - first);
    let total = 0;
    for (let tap = 0; tap < weights.length; tap++) {
      weights[tap] = kernel(fround((fround(tap + first - center) + 0.5) * inverse));
      total = fround(total + weights[tap]!);
    }
    return { first, weights: weights.map((weight) => weight / total) };
  });
}

/** Products and sums are fused there; a double holds a product exactly. */
function kernel(offset: number): number {
  const x = Math.abs(offset);
  if (x < 1) {
    const inner = fround((A + 2) * x - (A + 3));
    return fround(fround(inner * x) * x + 1);
  }
  if (x < 2) {
    const inner = fround(fround(A * x - 5 * A) * x + 8 * A);
    return fround(inner * x - 4 * A);
  }
  return 0;
}
