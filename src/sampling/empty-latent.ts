import { elementCount, tensor, type Tensor } from '../compute/tensor.js';
import { roundHalfEven } from '../imaging/rounding.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';

/** What an empty latent was made for: pixels a latent pixel, and frames a latent frame; unknown when left out. */
export interface LatentScale {
  readonly downscale?: number | undefined;
  readonly frameDownscale?: number | undefined;
}

/**
 * An empty latent with as many channels as the model has, whatever it had, and of its scale where the latent tells its own; others as
 * they are. For models of films a picture is one frame. To be called before noise is drawn for it (ComfyUI comfy/sample.py,
 * fix_empty_latent_channels).
 */
export function fitEmptyLatent(
  latent: Tensor,
  { latentFormat }: Pick<DiffusionModel, 'latentFormat'>,
  { downscale, frameDownscale }: LatentScale = {},
): Tensor {
  const isEmpty = !latent.data.some((value) => value !== 0);
  const inFrames = latentFormat.dimensions === 3;
  const [rows = 1, channels = 1, ...extents] = latent.shape;
  const axes = inFrames && extents.length === 2 ? [1, ...extents] : [...extents];
  if (!isEmpty) return tensor([rows, channels, ...axes], latent.data);
  if (downscale !== undefined && downscale !== latentFormat.downscale) {
    const ratio = downscale / latentFormat.downscale;
    for (const axis of [axes.length - 2, axes.length - 1]) axes[axis] = roundHalfEven(axes[axis]! * ratio);
  }
  const frames = latentFormat.frameDownscale ?? 1;
  if (inFrames && frameDownscale !== undefined && frameDownscale !== frames) {
    axes[0] = Math.max(1, roundHalfEven(axes[0]! * (frameDownscale / frames)));
  }
  const shape = [rows, latentFormat.channels, ...axes];
  return shape.join() === latent.shape.join() ? latent : tensor(shape, new Float32Array(elementCount(shape)));
}
