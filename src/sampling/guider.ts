import type { Tensor } from '../compute/tensor.js';
import type { Conditioning } from '../models/conditioning.js';
import type { DiffusionModel } from '../models/diffusion-model.js';
import { prepareConditions, type LatentInput, type PromptInput } from './conditions.js';
import { predictDenoised } from './predict.js';

/** A guided prediction of what is under the noise, N×C×h×w. */
export interface Denoised {
  readonly denoised: Tensor;
  /** The prediction without the prompt, for samplers that ask for it (CFG++). */
  readonly uncond: Tensor;
}

/** Answers a sampler; `needsUncond` when it will use the unconditional half whatever the guidance. */
export type Denoiser = (x: Tensor, sigma: number, needsUncond: boolean) => Promise<Denoised>;

/** How a model's predictions are guided. `ready` makes it so for one run: conditionings depend on the latent. */
export interface Guider {
  readonly model: DiffusionModel;
  ready(input: Omit<LatentInput, 'model'>): Denoiser;
}

/**
 * Classifier-free guidance, uncond + cfg·(cond − uncond) (ComfyUI comfy/samplers.py, sampling_function). The negative prompt
 * isn't evaluated at cfg 1 unless a sampler needs it.
 */
export function cfgGuider(
  model: DiffusionModel,
  prompts: { readonly positive: Conditioning; readonly negative: Conditioning },
  cfg: number,
): Guider {
  return {
    model,
    ready(input) {
      const [positive, negative] = prepareConditions(
        [
          { conditioning: prompts.positive, role: 'positive' },
          { conditioning: prompts.negative, role: 'negative' },
        ],
        { model, ...input },
      );
      return async (x, sigma, needsUncond) => {
        const skipped = isOne(cfg) && !needsUncond;
        const [cond, uncond] = await predictDenoised(
          model,
          [positive, skipped ? undefined : negative],
          x,
          sigma,
        );
        if (skipped) return { denoised: cond!, uncond: uncond! };
        return { denoised: guide(cond!, uncond!, cfg), uncond: uncond! };
      };
    },
  };
}

/** The prompt alone, without guidance (BasicGuider). */
export function basicGuider(model: DiffusionModel, conditioning: Conditioning): Guider {
  const prompt: PromptInput = { conditioning, role: 'positive' };
  return {
    model,
    ready(input) {
      const [conditions] = prepareConditions([prompt], { model, ...input });
      return async (x, sigma) => {
        const [cond, nothing] = await predictDenoised(model, [conditions, undefined], x, sigma);
        return { denoised: cond!, uncond: nothing! };
      };
    },
  };
}

/** Python's `math.isclose(cfg, 1.0)`. */
function isOne(cfg: number): boolean {
  return Math.abs(cfg - 1) <= 1e-9 * Math.max(Math.abs(cfg), 1);
}

/** uncond + (cond − uncond)·cfg, in float32. */
export function guide(cond: Tensor, uncond: Tensor, cfg: number): Tensor {
  const scale = Math.fround(cfg);
  const data = cond.data.map((value, index) => {
    const base = uncond.data[index]!;
    return base + Math.fround(Math.fround(value - base) * scale);
  });
  return { shape: cond.shape, data };
}
