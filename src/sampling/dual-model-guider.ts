import type { Conditioning } from '../models/denoiser/conditioning.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import { combinePredictions, isClose } from './guidance.js';
import { ReadyPrompts, type Guider } from './guider.js';

/** Guidance whose negative prompt another model predicts (ComfyUI comfy_extras/nodes_custom_sampler.py, Guider_DualModel). */
export function dualModelGuider(
  models: { readonly positive: DiffusionModel; readonly negative: DiffusionModel },
  prompts: { readonly positive: Conditioning; readonly negative: Conditioning },
  cfg: number,
): Guider {
  const model = models.positive;
  const { guidance } = model;
  const skips = isClose(cfg, 1);
  return {
    model,
    ready(input) {
      const ofPositive = new ReadyPrompts(
        { model, ...input },
        { positive: { conditioning: prompts.positive, role: 'positive' } },
      );
      const ofNegative = new ReadyPrompts(
        { model: models.negative, ...input },
        { negative: { conditioning: prompts.negative, role: 'negative' } },
      );
      return async (x, sigma) => {
        const [cond] = await ofPositive.predict(['positive'], x, sigma);
        if (skips) return { denoised: cond!, uncond: cond! };
        const [uncond] = await ofNegative.predict(['negative'], x, sigma);
        const denoised = await combinePredictions(guidance, {
          x,
          sigma,
          sampling: model.sampling,
          cfg,
          cond: cond!,
          uncond: uncond!,
          hasUncond: true,
          attention: undefined,
          async evaluate(prompt, at, changes) {
            const source = prompt === 'negative' ? ofNegative : ofPositive;
            if (typeof prompt !== 'string') return source.predictOther(prompt, at, sigma, changes);
            const [found] =
              prompt === 'negative'
                ? await ofNegative.predict(['negative'], at, sigma, changes)
                : await ofPositive.predict(['positive'], at, sigma, changes);
            return found!;
          },
        });
        return { denoised, uncond: uncond! };
      };
    },
  };
}
