/**
 * Perp-Neg: the negative prompt pushes only across the direction of the positive one. Armandpour et al., "Re-imagine the
 * Negative Prompt Algorithm", 2023 (ComfyUI comfy_extras/nodes_perpneg.py).
 */
import { tensor, type Tensor } from '../compute/tensor.js';
import { combineValues } from '../imaging/tensor-ops.js';
import type { Conditioning } from '../models/denoiser/conditioning.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import type { Guidance } from '../models/denoiser/guidance.js';
import { changePredictions, combinePredictions, isClose } from './guidance.js';
import { evaluation, ReadyPrompts, type Guider } from './guider.js';

const { fround } = Math;

export interface PerpNegPrompts {
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  readonly empty: Conditioning;
}

/** PerpNegGuider: all three prompts are evaluated together. */
export function perpNegGuider(
  model: DiffusionModel,
  { positive, negative, empty }: PerpNegPrompts,
  { cfg: scale, negativeScale }: { readonly cfg: number; readonly negativeScale: number },
): Guider {
  const { guidance } = model;
  return {
    model,
    ready(input) {
      const prompts = new ReadyPrompts(
        { model, ...input },
        {
          positive: { conditioning: positive, role: 'positive' },
          empty: { conditioning: empty, role: 'negative' },
          negative: { conditioning: negative, role: 'negative' },
        },
      );
      return async (x, sigma, needsUncond) => {
        const cfg = guidance.cfgAt?.(sigma, scale) ?? scale;
        const shortened = !needsUncond && guidance.needsUncond !== true;
        const withoutNegative = shortened && isClose(negativeScale, 0);
        const withoutEmpty = withoutNegative && isClose(cfg, 1);
        const [cond, uncond, nothing] = await prompts.predict(
          ['positive', withoutNegative ? undefined : 'negative', withoutEmpty ? undefined : 'empty'],
          x,
          sigma,
        );
        const evaluate = evaluation(prompts, { positive: 'positive', negative: 'negative' }, sigma);
        const predictions = {
          x,
          sigma,
          sampling: model.sampling,
          cfg,
          cond: cond!,
          uncond: uncond!,
          hasUncond: !withoutNegative,
          attention: prompts.attention,
          evaluate,
        };
        const changed = await changePredictions(guidance, predictions);
        const combine = () => perpendicular(changed.cond, changed.uncond, nothing!, negativeScale, cfg);
        const denoised = await combinePredictions({ ...guidance, combine }, changed);
        return { denoised, uncond: changed.uncond };
      };
    },
  };
}

/** The older PerpNeg node: the same as a model's way of combining its predictions. */
export function perpNegGuidance(
  empty: Conditioning,
  negativeScale: number,
): NonNullable<Guidance['combine']> {
  return async ({ x, cond, uncond, cfg, evaluate }) => {
    const nothing = await evaluate(empty, x);
    const denoised = perpendicular(cond, uncond, nothing, negativeScale, cfg);
    // ComfyUI hands the difference from x about, which costs its last bits.
    return combineValues(x, denoised, (from, to) => from - fround(from - to));
  };
}

function perpendicular(
  cond: Tensor,
  uncond: Tensor,
  nothing: Tensor,
  negativeScale: number,
  cfg: number,
): Tensor {
  const positive = combineValues(cond, nothing, (a, b) => a - b);
  const negative = combineValues(uncond, nothing, (a, b) => a - b);
  let product = 0;
  let square = 0;
  positive.data.forEach((value, index) => {
    product += value * negative.data[index]!;
    square += value * value;
  });
  // A positive prompt like the empty one has no direction. ComfyUI has numbers there as far as rounding makes one.
  const share = square === 0 ? 0 : fround(fround(product) / fround(fround(Math.sqrt(square)) ** 2));
  const [scale, negScale] = [fround(cfg), fround(negativeScale)];
  const data = nothing.data.map((base, index) => {
    const along = positive.data[index]!;
    const across = fround(negative.data[index]! - fround(share * along));
    return base + fround(scale * fround(along - fround(across * negScale)));
  });
  return tensor(nothing.shape, data);
}
