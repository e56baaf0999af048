import type { Conditioning } from '../models/denoiser/conditioning.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import { changePredictions, combinePredictions, isClose } from './guidance.js';
import { evaluation, ReadyPrompts, type Guider } from './guider.js';

/**
 * Classifier-free guidance, uncond + cfg·(cond − uncond), or what the model's guidance makes of it (ComfyUI
 * comfy/samplers.py, sampling_function). The negative prompt isn't evaluated at cfg 1 unless it is needed.
 */
export function cfgGuider(
  model: DiffusionModel,
  { positive, negative }: { readonly positive: Conditioning; readonly negative: Conditioning | undefined },
  scale: number,
): Guider {
  const { guidance } = model;
  const isSkipped = (cfg: number, needsUncond: boolean): boolean =>
    isClose(cfg, 1) && !needsUncond && guidance.needsUncond !== true;
  const promptsFor = (input: Parameters<Guider['ready']>[0]) =>
    new ReadyPrompts(
      { model, ...input },
      {
        positive: { conditioning: positive, role: 'positive' },
        negative: { conditioning: negative ?? [], role: 'negative' },
      },
    );
  return {
    model,
    plain(input, needsUncond) {
      const { before = [], combine, after = [], cfgAt, cache } = guidance;
      const isPlain = before.length === 0 && combine === undefined && after.length === 0;
      if (!isPlain || cfgAt !== undefined || cache !== undefined) return undefined;
      const skipped = isSkipped(scale, needsUncond);
      const inputs = promptsFor(input).commonInputs(skipped ? ['positive'] : ['positive', 'negative']);
      return inputs && { inputs, cfg: skipped ? undefined : scale };
    },
    ready(input) {
      const prompts = promptsFor(input);
      return async (x, sigma, needsUncond) => {
        const cfg = guidance.cfgAt?.(sigma, scale) ?? scale;
        const skipped = isSkipped(cfg, needsUncond);
        const [cond, uncond] = await prompts.predict(
          ['positive', skipped ? undefined : 'negative'],
          x,
          sigma,
        );
        const evaluate = evaluation(prompts, { positive: 'positive', negative: 'negative' }, sigma);
        const changed = await changePredictions(guidance, {
          x,
          sigma,
          sampling: model.sampling,
          cfg,
          cond: cond!,
          uncond: uncond!,
          hasUncond: !skipped && negative !== undefined,
          attention: prompts.attention,
          evaluate,
        });
        return { denoised: await combinePredictions(guidance, changed), uncond: changed.uncond };
      };
    },
  };
}

/** The prompt alone, without guidance (ComfyUI comfy_extras/nodes_custom_sampler.py, Guider_Basic). */
export function basicGuider(model: DiffusionModel, conditioning: Conditioning): Guider {
  return cfgGuider(model, { positive: conditioning, negative: undefined }, 1);
}
