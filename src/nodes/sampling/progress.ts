import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import type { SampledStep } from '../../sampling/run-sampler.js';
import type { RunContext } from '../context.js';

/** What sampling takes of the run around it: cancellation, and progress with previews in the model's colours. */
export function duringRun(
  { latentFormat: { rgbFactors, rgbBias } }: DiffusionModel,
  context: RunContext,
): { readonly signal: AbortSignal; readonly progress: (step: SampledStep) => void } {
  const latentRgb = { factors: rgbFactors, ...(rgbBias !== undefined && { bias: rgbBias }) };
  return {
    signal: context.signal,
    progress: (step) => {
      context.progress({ ...step, latentRgb });
    },
  };
}
