/** OpenCV's GaussianBlur with a size made of its sigma (modules/imgproc/src/smooth.dispatch.cpp); edges are mirrored, themselves left out. */
import type { BytePicture } from '../bytes.js';
import { roundHalfEven } from '../rounding.js';

const { fround } = Math;

/** Values in rows, H×W×channels. */
export interface ValuePicture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float32Array;
}

function gaussian(size: number, sigma: number): Float64Array {
  const taps = Float64Array.from({ length: size }, (_, tap) => {
    const x = tap - (size - 1) / 2;
    return Math.exp(-(x * x) / (2 * sigma * sigma));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** BORDER_REFLECT_101; a picture of one pixel has none but itself. */
function mirrored(place: number, extent: number): number {
  if (extent === 1) return 0;
  const period = 2 * (extent - 1);
  const at = ((place % period) + period) % period;
  return at < extent ? at : period - at;
}

/** The kernel reaches four sigmas. */
export function gaussianBlurValues(picture: ValuePicture, sigma: number): ValuePicture {
  const size = roundHalfEven(sigma * 4 * 2 + 1) | 1;
  const taps = gaussian(size, sigma).map(fround);
  const round = fround;
  return { ...picture, data: separable(picture, taps, new Float32Array(picture.data.length), round, round) };
}

/**
 * Kernels of whole 256ths, with the errors spread from the ends, and sums of 16 bits rounded once. `size` left out is the kernel's that
 * reaches three sigmas.
 */
export function gaussianBlurBytes(
  picture: BytePicture,
  sigma: number,
  size = roundHalfEven(sigma * 3 * 2 + 1) | 1,
): BytePicture {
  const taps = wholeTaps(gaussian(size, sigma));
  const data = separable(
    picture,
    taps,
    new Uint8Array(picture.data.length),
    (sum) => sum,
    (sum) => (sum + 32768) >> 16,
  );
  return { ...picture, data };
}

function wholeTaps(taps: Float64Array): Float64Array {
  const result = new Float64Array(taps.length);
  const middle = (taps.length - 1) / 2;
  let [error, sum] = [0, 0];
  for (let tap = 0; tap < middle; tap++) {
    const exact = taps[tap]! * 256 + error;
    const whole = roundHalfEven(exact);
    error = exact - whole;
    result[tap] = result[taps.length - 1 - tap] = whole;
    sum += whole;
  }
  result[middle] = 256 - 2 * sum;
  return result;
}

/**
 * Along rows, then columns, in OpenCV's order of sums: `inner` rounds each of them. Rows of more than five taps are summed from one end,
 * all others outwards by pairs.
 */
function separable<Values extends Float32Array | Uint8Array>(
  { data, width, height, channels }: Omit<BytePicture, 'data'> & { readonly data: Float32Array | Uint8Array },
  taps: Float64Array,
  result: Values,
  inner: (sum: number) => number,
  outer: (sum: number) => number,
): Values {
  const middle = (taps.length - 1) / 2;
  const line = width * channels;
  const rows = new Float64Array(data.length);
  /** Of the values at `places`, from one that lies `middle` before the wanted one on. */
  const inTurn = (value: (tap: number) => number): number => {
    let sum = inner(value(0) * taps[0]!);
    for (let tap = 1; tap < taps.length; tap++) sum = inner(value(tap) * taps[tap]! + sum);
    return sum;
  };
  const byPairs = (value: (tap: number) => number): number => {
    let sum = inner(value(middle) * taps[middle]!);
    for (let tap = 1; tap <= middle; tap++) {
      sum = inner(inner(value(middle + tap) + value(middle - tap)) * taps[middle + tap]! + sum);
    }
    return sum;
  };
  const along = taps.length > 5 ? inTurn : byPairs;
  const columns = mirroredPlaces(width, middle);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        rows[y * line + x * channels + c] = along(
          (tap) => data[y * line + columns[x + tap]! * channels + c]!,
        );
      }
    }
  }
  const lines = mirroredPlaces(height, middle);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < line; i++) {
      result[y * line + i] = outer(byPairs((tap) => rows[lines[y + tap]! * line + i]!));
    }
  }
  return result;
}

/** Places from `middle` before a line's first to `middle` behind its last, mirrored into it. */
function mirroredPlaces(extent: number, middle: number): Int32Array {
  return Int32Array.from({ length: extent + 2 * middle }, (_, at) => mirrored(at - middle, extent));
}
