import { tensor, type Tensor } from '../compute/tensor.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';

/**
 * An empty latent with as many channels as the model has, whatever it had; others as they are. To be called before noise is
 * drawn for it (ComfyUI comfy/sample.py, fix_empty_latent_channels).
 */
export function fitEmptyLatent(latent: Tensor, { latentFormat }: DiffusionModel): Tensor {
  const [rows = 1, channels, ...rest] = latent.shape;
  if (channels === latentFormat.channels || latent.data.some((value) => value !== 0)) return latent;
  return tensor([rows, latentFormat.channels, ...rest]);
}
