/** OpenCV's `resize` by few taps a side, INTER_LINEAR, INTER_CUBIC and (upwards) INTER_AREA (modules/imgproc/src/resize.cpp). */
import type { BytePicture } from '../bytes.js';
import { roundHalfEven } from '../rounding.js';

const { fround } = Math;

/** `area` is for larger pictures: each pixel of the source fills its square, and what two share is between them. */
export type TapFilter = 'linear' | 'cubic' | 'area';

function linear(x: number): readonly number[] {
  return [fround(1 - x), x];
}

/** Weights of the taps around a place, `fraction` behind the middle one on the left; float32. */
const WEIGHTS: Readonly<Record<TapFilter, (fraction: number) => readonly number[]>> = {
  linear,
  area: linear,
  cubic(x) {
    const a = -0.75;
    const near = (at: number) => fround(fround(fround(fround((a + 2) * at) - (a + 3)) * at) * at + 1);
    const from = fround(x + 1);
    const first = fround(
      fround(fround(fround(fround(fround(a * from) - 5 * a) * from) + 8 * a) * from) - 4 * a,
    );
    const second = near(x);
    const third = near(fround(1 - x));
    return [first, second, third, fround(fround(fround(1 - first) - second) - third)];
  },
};

interface Taps {
  /** `count` sources of each place, held within the picture. */
  readonly from: Int32Array;
  readonly weights: Float32Array;
  readonly count: number;
}

function centrePlace(place: number, scale: number): readonly [left: number, fraction: number] {
  const at = (place + 0.5) * scale - 0.5;
  const left = Math.floor(at);
  return [left, fround(at - left)];
}

function areaPlace(place: number, growth: number): readonly [left: number, fraction: number] {
  const left = Math.floor(place * (1 / growth));
  const beyond = fround(place + 1 - (left + 1) * growth);
  return [left, beyond <= 0 ? 0 : fround(beyond - Math.floor(beyond))];
}

function tapsOf(filter: TapFilter, extent: number, result: number, step?: number): Taps {
  const count = WEIGHTS[filter](0).length;
  const taps = { from: new Int32Array(result * count), weights: new Float32Array(result * count), count };
  // OpenCV divides twice.
  const scale = step ?? 1 / (result / extent);
  for (let place = 0; place < result; place++) {
    const [left, fraction] =
      filter === 'area' ? areaPlace(place, result / extent) : centrePlace(place, scale);
    WEIGHTS[filter](fraction).forEach((weight, tap) => {
      taps.from[place * count + tap] = Math.min(Math.max(left + tap - (count / 2 - 1), 0), extent - 1);
      taps.weights[place * count + tap] = weight;
    });
  }
  return taps;
}

interface Lines<Values> {
  readonly data: Values;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

function alongRows<Into extends Float64Array | Int32Array>(
  { data, height, width, channels }: Lines<ArrayLike<number>>,
  { from, weights, count }: Taps,
  result: Into,
): Into {
  const columns = from.length / count;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < columns; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let tap = 0; tap < count; tap++) {
          const at = x * count + tap;
          sum += data[(y * width + from[at]!) * channels + c]! * weights[at]!;
        }
        result[(y * columns + x) * channels + c] = sum;
      }
    }
  }
  return result;
}

/** A picture of whole numbers. Cubic weights are not rounded to 11 bits: Intel's library has that kernel on x86. */
export function resizeBytes(
  picture: BytePicture,
  filter: 'cubic' | 'area',
  height: number,
  width: number,
): BytePicture {
  const { channels } = picture;
  if (filter === 'area') return { width, height, channels, data: areaInFixedPoint(picture, height, width) };
  const values = resizeValues(picture, filter, height, width);
  const data = Uint8Array.from(values, (value) => Math.min(Math.max(roundHalfEven(value), 0), 255));
  return { width, height, channels, data };
}

/** Weights of 11 bits, of whose products the lower 4 and then 16 bits go (VResizeLinear). */
function areaInFixedPoint(picture: BytePicture, height: number, width: number): Uint8Array {
  const fixed = (taps: Taps): Taps => ({
    ...taps,
    weights: taps.weights.map((weight) => roundHalfEven(weight * 2048)),
  });
  const length = width * picture.channels;
  const rows = alongRows(
    picture,
    fixed(tapsOf('area', picture.width, width)),
    new Int32Array(picture.height * length),
  );
  const { from, weights } = fixed(tapsOf('area', picture.height, height));
  const data = new Uint8Array(height * length);
  for (let y = 0; y < height; y++) {
    const [upper, lower] = [from[2 * y]! * length, from[2 * y + 1]! * length];
    const [above, below] = [weights[2 * y]!, weights[2 * y + 1]!];
    for (let i = 0; i < length; i++) {
      const sum = ((above * (rows[upper + i]! >> 4)) >> 16) + ((below * (rows[lower + i]! >> 4)) >> 16);
      data[y * length + i] = (sum + 2) >> 2;
    }
  }
  return data;
}

/**
 * Values of any range, H×W×channels, in double precision. `steps` are pixels of the source for one of the result, where those don't follow
 * from the extents.
 */
export function resizeValues(
  picture: Lines<ArrayLike<number>>,
  filter: TapFilter,
  height: number,
  width: number,
  steps?: { readonly height: number; readonly width: number },
): Float64Array {
  const { channels } = picture;
  const rows = alongRows(
    picture,
    tapsOf(filter, picture.width, width, steps?.width),
    new Float64Array(picture.height * width * channels),
  );
  const { from, weights, count } = tapsOf(filter, picture.height, height, steps?.height);
  const length = width * channels;
  const result = new Float64Array(height * length);
  for (let y = 0; y < height; y++) {
    for (let tap = 0; tap < count; tap++) {
      const at = y * count + tap;
      const source = from[at]! * length;
      for (let i = 0; i < length; i++) result[y * length + i]! += rows[source + i]! * weights[at]!;
    }
  }
  return result;
}
