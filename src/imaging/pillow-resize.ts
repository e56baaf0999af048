/** Pillow's `Image.resize` of pictures in bytes (libImaging/Resample.c): coefficients and sums in fixed point, columns first. */
import { tensor, type Tensor } from '../compute/tensor.js';

export const PILLOW_FILTERS = ['LANCZOS', 'BICUBIC', 'HAMMING', 'BILINEAR', 'BOX', 'NEAREST'] as const;
export type PillowFilter = (typeof PILLOW_FILTERS)[number];

/** Bits of a coefficient behind the point. */
const PRECISION = 22;

/** Images N×H×W×C in [0, 1], cut to whole bytes, at another size. */
export function pillowResize(image: Tensor, filter: PillowFilter, height: number, width: number): Tensor {
  const [count = 0, fromHeight = 0, fromWidth = 0, channels = 0] = image.shape;
  const bytes = Float64Array.from(image.data, (value) =>
    Math.trunc(Math.min(Math.max(Math.fround(value * 255), 0), 255)),
  );
  const rows = { lines: count * fromHeight, from: fromWidth, to: width, inner: channels };
  const wide = resampled(bytes, rows, filter);
  const columns = { lines: count, from: fromHeight, to: height, inner: width * channels };
  const both = resampled(wide, columns, filter);
  return tensor(
    [count, height, width, channels],
    Float32Array.from(both, (value) => value / 255),
  );
}

interface Axis {
  readonly lines: number;
  readonly from: number;
  readonly to: number;
  readonly inner: number;
}

function resampled(
  source: Float64Array,
  { lines, from, to, inner }: Axis,
  filter: PillowFilter,
): Float64Array {
  if (from === to) return source;
  const taps = tapsOf(from, to, filter);
  const result = new Float64Array(lines * to * inner);
  for (let line = 0; line < lines; line++) {
    for (let index = 0; index < to; index++) {
      const { first, weights } = taps[index]!;
      for (let each = 0; each < inner; each++) {
        let sum = 2 ** (PRECISION - 1);
        for (let tap = 0; tap < weights.length; tap++) {
          sum += source[(line * from + first + tap) * inner + each]! * weights[tap]!;
        }
        const value = Math.floor(sum / 2 ** PRECISION);
        result[(line * to + index) * inner + each] = Math.min(Math.max(value, 0), 255);
      }
    }
  }
  return result;
}

function tapsOf(from: number, to: number, filter: PillowFilter) {
  const scale = from / to;
  if (filter === 'NEAREST') {
    return Array.from({ length: to }, (_, index) => ({
      first: Math.floor((index + 0.5) * scale),
      weights: [2 ** PRECISION],
    }));
  }
  const { support: reach, kernel } = KERNELS[filter];
  const stretch = Math.max(scale, 1);
  const support = reach * stretch;
  return Array.from({ length: to }, (_, index) => {
    const center = (index + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), from);
    const values = Array.from({ length: end - first }, (__, tap) =>
      kernel((tap + first - center + 0.5) * (1 / stretch)),
    );
    const total = values.reduce((sum, value) => sum + value, 0);
    const weights = values.map((value) => {
      const share = (total === 0 ? value : value / total) * 2 ** PRECISION;
      return Math.trunc(share + (share < 0 ? -0.5 : 0.5));
    });
    return { first, weights };
  });
}

interface Kernel {
  readonly support: number;
  readonly kernel: (x: number) => number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

const KERNELS: Readonly<Record<Exclude<PillowFilter, 'NEAREST'>, Kernel>> = {
  BOX: { support: 0.5, kernel: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  BILINEAR: { support: 1, kernel: (x) => Math.max(1 - Math.abs(x), 0) },
  HAMMING: {
    support: 1,
    kernel(offset) {
      const x = Math.abs(offset);
      if (x === 0) return 1;
      return x >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI));
    },
  },
  BICUBIC: {
    support: 2,
    kernel(offset) {
      const [x, a] = [Math.abs(offset), -0.5];
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  LANCZOS: { support: 3, kernel: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};
