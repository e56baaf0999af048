/** Grey-scale dilation and erosion of masks (N×H×W) by repeated 3×3 steps, edges repeated (scipy.ndimage's `reflect`). */
import { tensor, type Tensor } from '../compute/tensor.js';
import { IMAGE_ROWS, planesOf } from './planes.js';

/** The neighbours of a pixel that count: four, or all eight. */
export type Footprint = 'cross' | 'square';

/** The largest value around each pixel, `times` times over. */
export function dilate(mask: Tensor, times: number, footprint: Footprint): Tensor {
  return repeatStep(mask, times, footprint, Math.max);
}

/** The smallest value around each pixel, `times` times over. */
export function erode(mask: Tensor, times: number, footprint: Footprint): Tensor {
  return repeatStep(mask, times, footprint, Math.min);
}

type Choice = (a: number, b: number) => number;

function repeatStep(mask: Tensor, times: number, footprint: Footprint, choose: Choice): Tensor {
  const { height, width } = planesOf(mask, IMAGE_ROWS);
  // Beyond the picture's own sides nothing changes any more.
  const steps = Math.min(times, height + width);
  let current = mask;
  for (let step = 0; step < steps; step++) {
    const across = alongRows(current, choose);
    current =
      footprint === 'square'
        ? alongColumns(across, choose)
        : tensor(
            mask.shape,
            alongColumns(current, choose).data.map((value, index) => choose(value, across.data[index]!)),
          );
  }
  return current;
}

function alongRows(mask: Tensor, choose: Choice): Tensor {
  return alongAxis(mask, planesOf(mask, IMAGE_ROWS).width, 1, choose);
}

function alongColumns(mask: Tensor, choose: Choice): Tensor {
  const { height, width } = planesOf(mask, IMAGE_ROWS);
  return alongAxis(mask, height, width, choose);
}

/** Each value with its two neighbours along an axis of `extent` values, `stride` apart. */
function alongAxis(mask: Tensor, extent: number, stride: number, choose: Choice): Tensor {
  const { data } = mask;
  const result = tensor(mask.shape);
  for (let i = 0; i < data.length; i++) {
    const position = Math.floor(i / stride) % extent;
    let value = data[i]!;
    if (position > 0) value = choose(value, data[i - stride]!);
    if (position < extent - 1) value = choose(value, data[i + stride]!);
    result.data[i] = value;
  }
  return result;
}
