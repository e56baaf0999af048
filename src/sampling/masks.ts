import { tensor, type Tensor } from '../compute/tensor.js';
import { withChannel } from '../imaging/latent-channels.js';
import { resizeBatch } from '../imaging/tensor-ops.js';
import { upscaleLatent } from '../imaging/upscale.js';

/** A rectangle in latent pixels. */
export interface LatentArea {
  readonly height: number;
  readonly width: number;
  readonly y: number;
  readonly x: number;
}

/**
 * A noise mask for latents of `shape`, N×1×h×w: resized, and repeated over the batch (ComfyUI comfy/utils.py, reshape_mask,
 * whose repetition over channels is left to the reader).
 */
export function fitNoiseMask(mask: Tensor, shape: readonly number[]): Tensor {
  const [rows = 1] = shape;
  const [height = 1, width = 1] = shape.slice(-2);
  if (shape.length === 5) return resizeBatch(fitFilmMask(mask, shape[2]!, height, width), rows);
  return resizeBatch(upscaleLatent(withChannel(mask), 'bilinear', { height, width }), rows);
}

/** N×1×F×h×w of a film's mask, or of one whose rows are frames: interpolated in all three directions. */
function fitFilmMask(mask: Tensor, frames: number, height: number, width: number): Tensor {
  const area = height * width;
  const planes = upscaleLatent(withChannel(mask), 'bilinear', { height, width }).data;
  const rows = mask.shape.length === 5 ? mask.shape[0]! : 1;
  const own = planes.length / area / rows;
  if (own === frames) return tensor([rows, 1, frames, height, width], planes);
  const fitted = tensor([rows, 1, frames, height, width]);
  for (let frame = 0; frame < frames; frame++) {
    const place = Math.max(0, ((frame + 0.5) * own) / frames - 0.5);
    const before = Math.min(Math.floor(place), own - 1);
    const after = Math.min(before + 1, own - 1);
    const share = place - before;
    for (let row = 0; row < rows; row++) {
      for (let at = 0; at < area; at++) {
        const [a, b] = [planes[(row * own + before) * area + at]!, planes[(row * own + after) * area + at]!];
        fitted.data[(row * frames + frame) * area + at] = a * (1 - share) + b * share;
      }
    }
  }
  return fitted;
}

/** A conditioning's mask for latents of `height` × `width`, N×h×w (ComfyUI resolve_areas_and_cond_masks_multidim). */
export function fitConditioningMask(mask: Tensor, height: number, width: number): Tensor {
  const fitted = upscaleLatent(withChannel(mask), 'bilinear', { height, width });
  return tensor([fitted.shape[0]!, height, width], fitted.data);
}

const smallestSide = 8;

/** The rectangle around what isn't 0 in any mask of N×h×w, with sides of 8 at least; 8×8 where there is nothing. */
export function boundsOf(mask: Tensor): LatentArea {
  const [, height = 0, width = 0] = mask.shape;
  let [top, left, bottom, right] = [Infinity, Infinity, -Infinity, -Infinity];
  mask.data.forEach((value, index) => {
    if (value === 0) return;
    const y = Math.floor(index / width) % height;
    const x = index % width;
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
  });
  if (bottom < top) return { height: smallestSide, width: smallestSide, y: 0, x: 0 };
  return {
    height: Math.max(smallestSide, bottom - top + 1),
    width: Math.max(smallestSide, right - left + 1),
    y: top,
    x: left,
  };
}
