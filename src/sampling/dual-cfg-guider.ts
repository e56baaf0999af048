import { combineValues } from '../imaging/tensor-ops.js';
import type { Conditioning } from '../models/denoiser/conditioning.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import { combinePredictions, guide, isClose } from './guidance.js';
import { evaluation, ReadyPrompts, type Guider } from './guider.js';

/** The prompts of `dualCfgGuider`. */
export interface DualPrompts {
  /** `cond1` */
  readonly positive: Conditioning;
  /** `cond2` */
  readonly middle: Conditioning;
  readonly negative: Conditioning;
}

export interface DualCfg {
  /** How far the first prompt leads away from the second. */
  readonly conds: number;
  /** How far the second leads away from the negative one. */
  readonly middleToNegative: number;
  /** Guides to the first prompt from the second, and there from the negative one. */
  readonly nested: boolean;
}

/** Guidance by two prompts (ComfyUI comfy_extras/nodes_custom_sampler.py, Guider_DualCFG). */
export function dualCfgGuider(
  model: DiffusionModel,
  { positive, middle, negative }: DualPrompts,
  { conds, middleToNegative, nested }: DualCfg,
): Guider {
  const { guidance } = model;
  return {
    model,
    ready(input) {
      const prompts = new ReadyPrompts(
        { model, ...input },
        {
          positive: { conditioning: positive, role: 'positive' },
          middle: { conditioning: middle, role: 'negative' },
          negative: { conditioning: negative, role: 'negative' },
        },
      );
      return async (x, sigma, needsUncond) => {
        const shortened = !nested && !needsUncond && guidance.needsUncond !== true;
        const withoutNegative = shortened && isClose(middleToNegative, 1);
        const withoutMiddle = withoutNegative && isClose(conds, 1);
        const [fromNegative, fromMiddle, fromPositive] = await prompts.predict(
          [withoutNegative ? undefined : 'negative', withoutMiddle ? undefined : 'middle', 'positive'],
          x,
          sigma,
        );
        const [low, mid, high] = [fromNegative!, fromMiddle!, fromPositive!];
        if (nested) {
          const evaluate = evaluation(prompts, { positive: 'positive', negative: 'middle' }, sigma);
          const text = await combinePredictions(guidance, {
            x,
            sigma,
            sampling: model.sampling,
            cfg: conds,
            cond: high,
            uncond: mid,
            hasUncond: true,
            attention: prompts.attention,
            evaluate,
          });
          return { denoised: guide(text, low, middleToNegative), uncond: mid };
        }
        const evaluate = evaluation(prompts, { positive: 'middle', negative: 'negative' }, sigma);
        const base = await combinePredictions(guidance, {
          x,
          sigma,
          sampling: model.sampling,
          cfg: middleToNegative,
          cond: mid,
          uncond: low,
          hasUncond: !withoutNegative,
          attention: prompts.attention,
          evaluate,
        });
        const scale = Math.fround(conds);
        const beyond = combineValues(high, mid, (a, b) => Math.fround(a - b) * scale);
        return { denoised: combineValues(base, beyond, (a, b) => a + b), uncond: low };
      };
    },
  };
}
