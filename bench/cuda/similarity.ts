/** How far two results are apart. */
import type { Tensor } from '../../src/compute/tensor.js';

/** ‖actual − expected‖ / ‖expected‖; NaN never passes a comparison. */
export function relativeError(actual: Tensor, expected: Tensor): number {
  let difference = 0;
  let norm = 0;
  expected.data.forEach((value, index) => {
    difference += (actual.data[index]! - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}

/** Peak signal to noise in dB, of values from 0 to `peak`. */
export function psnr(actual: ArrayLike<number>, expected: ArrayLike<number>, peak: number): number {
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference += (actual[i]! - expected[i]!) ** 2;
  return 10 * Math.log10((peak * peak * expected.length) / difference);
}
