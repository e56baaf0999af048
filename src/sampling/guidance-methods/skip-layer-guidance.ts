/**
 * Guidance away from what the model predicts without some of its blocks (ComfyUI comfy_extras/nodes_slg.py and nodes_sd3.py), after
 * Hong et al., "Perturbed-Attention Guidance", 2024.
 */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { SkippedBlocks } from '../../models/denoiser/changes.js';
import type { GuidanceInput, GuidedInput } from '../../models/denoiser/guidance.js';

const { fround } = Math;

/** Noise levels, both included, between which guidance counts. */
export interface SigmaRange {
  readonly highest: number;
  readonly lowest: number;
}

function counts({ highest, lowest }: SigmaRange, sigma: number): boolean {
  return sigma >= lowest && sigma <= highest;
}

export interface SkipLayerGuidance {
  readonly skipped: SkippedBlocks;
  readonly scale: number;
  readonly range: SigmaRange;
  /** How far the result's deviation is brought back to the prediction's, 0 for not at all. */
  readonly rescaling: number;
}

/** The guided prediction, plus the way from the one without some blocks to the one with all. */
export function skipLayerGuidance({ skipped, scale, range, rescaling }: SkipLayerGuidance) {
  return async ({ denoised, cond, x, sigma, evaluate }: GuidedInput): Promise<Tensor> => {
    if (scale <= 0 || !counts(range, sigma)) return denoised;
    const without = await evaluate('positive', x, [skipped]);
    const by = fround(scale);
    const guided = denoised.data.map(
      (value, index) => value + fround(fround(cond.data[index]! - without.data[index]!) * by),
    );
    if (rescaling === 0) return tensor(denoised.shape, guided);
    const factor = fround(
      fround(rescaling * fround(deviation(cond.data) / deviation(guided))) + (1 - rescaling),
    );
    return tensor(
      denoised.shape,
      guided.map((value) => value * factor),
    );
  };
}

/** The prediction without the prompt, made without some blocks. */
export function skipLayersOfNegative(skipped: SkippedBlocks, range: SigmaRange) {
  return async ({ cond, uncond, hasUncond, x, sigma, evaluate }: GuidanceInput) =>
    hasUncond && counts(range, sigma)
      ? { cond, uncond: await evaluate('negative', x, [skipped]) }
      : { cond, uncond };
}

/** torch.std of all values. */
function deviation(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return fround(Math.sqrt(squares / (values.length - 1)));
}
