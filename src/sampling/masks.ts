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
  const [rows = 1, , height = 1, width = 1] = shape;
  return resizeBatch(upscaleLatent(withChannel(mask), 'bilinear', { height, width }), rows);
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
