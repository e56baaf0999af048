import { elementCount, tensor, type Tensor } from '../compute/tensor.js';
import type { Guidance } from '../models/denoiser/guidance.js';
import type { ModelSampling } from '../models/denoiser/model-sampling.js';
import type { Denoise } from './guider.js';
import { noisedKept } from './prediction.js';

/** What stays where the mask is 0. */
export interface KeptLatent {
  readonly sampling: ModelSampling;
  /** The network sees what is kept without noise. */
  readonly clean?: boolean | undefined;
  /** N×1×[F×]h×w, 1 where it is sampled. */
  readonly mask: Tensor;
  /** What the model makes of the mask at each step. */
  readonly maskAt: Guidance['noiseMask'];
  /** The whole run's levels. */
  readonly sigmas: Float32Array;
  /** N×C×h×w in the model's space. */
  readonly latent: Tensor;
  /** The noise that the kept part is shown with. */
  readonly noise: Tensor;
}

/**
 * Limits a denoiser to the masked part: outside it the network sees the latent with noise of the right level, and the
 * latent itself is the answer (ComfyUI comfy/samplers.py, KSamplerX0Inpaint).
 */
export function maskedDenoiser(denoiser: Denoise, kept: KeptLatent): Denoise {
  const { sampling, sigmas, latent, noise } = kept;
  return async (x, sigma, needsUncond) => {
    const mask = kept.maskAt?.(kept.mask, { sigma, sigmas, sampling }) ?? kept.mask;
    const noised = blend(x, kept.clean === true ? latent : noisedKept(sampling, latent, noise, sigma), mask);
    const { denoised, uncond } = await denoiser(noised, sigma, needsUncond);
    return { denoised: blend(denoised, latent, mask), uncond };
  };
}

/** inside·mask + outside·(1 − mask), each product rounded to float32. */
function blend(inside: Tensor, outside: Tensor, mask: Tensor): Tensor {
  const [, channels = 1, ...extents] = inside.shape;
  const area = elementCount(extents);
  const data = inside.data.map((value, index) => {
    const share = mask.data[Math.floor(index / (channels * area)) * area + (index % area)]!;
    const rest = Math.fround(1 - share);
    return Math.fround(value * share) + Math.fround(outside.data[index]! * rest);
  });
  return tensor(inside.shape, data);
}
