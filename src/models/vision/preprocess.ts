import { tensor, type Tensor } from '../../compute/tensor.js';
import { bicubicAntialiased } from '../../imaging/antialias.js';
import { channelsFirst, rgbOf } from '../../imaging/channels.js';
import { crop as cropped, LATENT_ROWS } from '../../imaging/planes.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import type { SquareCrop } from './image-encoder.js';

const { fround } = Math;

/** Mean and deviation of each channel. */
export interface PixelStatistics {
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

export const clipPixels: PixelStatistics = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  deviation: [0.26862954, 0.26130258, 0.27577711],
};

export const siglipPixels: PixelStatistics = { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] };

/** Images N×H×W×C as planes N×3×size×size, in whole steps of 1/255 and normalised (ComfyUI comfy/clip_model.py, clip_preprocess). */
export function preprocessed(
  images: Tensor,
  size: number,
  statistics: PixelStatistics,
  crop: SquareCrop,
): Tensor {
  const square = toSquare(channelsFirst(rgbOf(images)), size, crop);
  const area = size * size;
  const planes = tensor(square.shape);
  for (let at = 0; at < planes.data.length; at++) {
    const channel = Math.floor(at / area) % 3;
    const level = roundHalfEven(Math.min(Math.max(fround(255 * square.data[at]!), 0), 255));
    const centred = fround(fround(level / 255) - fround(statistics.mean[channel]!));
    planes.data[at] = centred / fround(statistics.deviation[channel]!);
  }
  return planes;
}

function toSquare(planes: Tensor, size: number, crop: SquareCrop): Tensor {
  const [, , height = 1, width = 1] = planes.shape;
  if (height === size && width === size) return planes;
  const scale = size / Math.min(height, width);
  const scaled = (extent: number) => (crop === 'center' ? roundHalfEven(scale * extent) : size);
  const enlarged = bicubicAntialiased(planes, scaled(height), scaled(width));
  const [, , rows = 1, columns = 1] = enlarged.shape;
  const middle = (extent: number) => Math.floor((extent - size) / 2);
  return cropped(enlarged, LATENT_ROWS, {
    y: middle(rows),
    x: middle(columns),
    height: size,
    width: size,
  });
}
