/** One picture as facerestore_cf hands it to OpenCV. */
import type { Tensor } from '../../compute/tensor.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { resizeLinear, warpAffine } from '../../native/addon.js';

/** H×W×3, blue, green, red from 0 to 255. With `bytes` they are whole numbers, and OpenCV computes in fixed point. */
export interface Picture {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly bytes: boolean;
}

const CHANNELS = 3;

/** Row `index` of a batch of images, N×H×W×C in [0, 1] of which the first three channels are red, green and blue. */
export function pictureOf(image: Tensor, index: number): Picture {
  const [, height = 0, width = 0, channels = 0] = image.shape;
  const values = new Float32Array(height * width * CHANNELS);
  const start = index * height * width * channels;
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let c = 0; c < CHANNELS; c++) {
      values[pixel * CHANNELS + c] = 255 * image.data[start + pixel * channels + (CHANNELS - 1 - c)]!;
    }
  }
  return { values, height, width, bytes: false };
}

/** `cv2.resize(picture, (width, height))`. */
export function resizeTo(picture: Picture, height: number, width: number): Picture {
  return resized(picture, height, width, picture.height / height, picture.width / width);
}

/** `cv2.resize(picture, (0, 0), fx=factorX, fy=factorY)`. */
export function resizeBy(picture: Picture, factorY: number, factorX: number): Picture {
  const height = roundHalfEven(picture.height * factorY);
  const width = roundHalfEven(picture.width * factorX);
  return resized(picture, height, width, 1 / factorY, 1 / factorX);
}

/** `cv2.warpAffine(picture, matrix, (size, size), borderValue=border)`. */
export function warped(
  picture: Picture,
  matrix: Float64Array,
  size: number,
  border: readonly number[],
): Picture {
  const { values, height, width, bytes } = picture;
  const outside = Float32Array.from(border);
  const result = warpAffine(values, CHANNELS, height, width, bytes, size, size, matrix, outside);
  return { values: result, height: size, width: size, bytes };
}

function resized(picture: Picture, height: number, width: number, scaleY: number, scaleX: number): Picture {
  const { values, bytes } = picture;
  const from = [picture.height, picture.width] as const;
  const result = resizeLinear(values, CHANNELS, ...from, bytes, height, width, scaleY, scaleX);
  return { values: result, height, width, bytes };
}
