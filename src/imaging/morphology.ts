/** Grey-scale dilation and erosion of masks (N×H×W) by repeated 3×3 steps, edges repeated (scipy.ndimage's `reflect`). */
import { tensor, type Tensor } from '../compute/tensor.js';
import { IMAGE_ROWS, planesOf } from './planes.js';
import { mapValues } from './tensor-ops.js';

/** The neighbours of a pixel that count: four, or all eight. */
export type Footprint = 'cross' | 'square';

/** The largest value around each pixel, `times` times over. */
export function dilate(mask: Tensor, times: number, footprint: Footprint): Tensor {
  const { outer, height, width } = planesOf(mask, IMAGE_ROWS);
  // Beyond the picture's own sides nothing changes any more.
  const steps = Math.min(times, height + width);
  let current = mask.data;
  for (let step = 0; step < steps; step++) {
    const across = current.slice();
    for (let row = 0; row < outer * height; row++) {
      raiseToNeighbours(current, across, row * width, (row + 1) * width);
    }
    const next = across.slice();
    const vertical = footprint === 'square' ? across : current;
    for (let row = 0; row < outer * height; row++) {
      if (row % height > 0) raise(next, row * width, vertical, (row - 1) * width, width);
      if (row % height < height - 1) raise(next, row * width, vertical, (row + 1) * width, width);
    }
    current = next;
  }
  return tensor(mask.shape, current);
}

/** The smallest value around each pixel, `times` times over. */
export function erode(mask: Tensor, times: number, footprint: Footprint): Tensor {
  // 0 − x rather than −x, which would leave zeros negative.
  const negative = mapValues(mask, (value) => 0 - value);
  return mapValues(dilate(negative, times, footprint), (value) => 0 - value);
}

/** Raises each value of a row to those of its neighbours in `from`. */
function raiseToNeighbours(from: Float32Array, into: Float32Array, start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    if (from[i - 1]! > into[i]!) into[i] = from[i - 1]!;
    if (from[i]! > into[i - 1]!) into[i - 1] = from[i]!;
  }
}

/** Raises `count` values to those of another row. */
function raise(into: Float32Array, start: number, from: Float32Array, other: number, count: number): void {
  for (let i = 0; i < count; i++) {
    if (from[other + i]! > into[start + i]!) into[start + i] = from[other + i]!;
  }
}
