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

/** Along rows, then columns, the two of a pair of taps added first, as OpenCV's symmetric filters do. */
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
  const pass = (
    source: ArrayLike<number>,
    into: Float64Array | Values,
    extent: number,
    place: (line: number, at: number, c: number) => number,
    lines: number,
    round: (sum: number) => number,
  ): void => {
    const places = Int32Array.from({ length: extent + 2 * middle }, (_, at) => mirrored(at - middle, extent));
    for (let index = 0; index < lines; index++) {
      for (let at = 0; at < extent; at++) {
        for (let c = 0; c < channels; c++) {
          let sum = source[place(index, at, c)]! * taps[middle]!;
          for (let tap = 1; tap <= middle; tap++) {
            const pair =
              source[place(index, places[at + middle - tap]!, c)]! +
              source[place(index, places[at + middle + tap]!, c)]!;
            sum += pair * taps[middle + tap]!;
          }
          into[place(index, at, c)] = round(sum);
        }
      }
    }
  };
  pass(data, rows, width, (y, x, c) => y * line + x * channels + c, height, inner);
  pass(rows, result, height, (x, y, c) => y * line + x * channels + c, width, outer);
  return result;
}
