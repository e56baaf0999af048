import type { Tensor } from '../compute/tensor.js';
import { combineValues } from '../imaging/tensor-ops.js';
import type { StepCache } from '../models/denoiser/guidance.js';
import type { ModelSampling } from '../models/denoiser/model-sampling.js';
import { ChangeGauge } from './change-gauge.js';
import type { Denoise } from './guider.js';

/** LazyCache: `denoise` left out where the last guided prediction does. */
export function lazily(denoise: Denoise, cache: StepCache, sampling: ModelSampling): Denoise {
  const gauge = new ChangeGauge(cache, sampling);
  let kept: { readonly beyond: Tensor; readonly uncond: Tensor } | undefined;
  return async (x, sigma, needsUncond) => {
    if (gauge.isOver(sigma)) return denoise(x, sigma, needsUncond);
    gauge.begin();
    if (gauge.hasBegun(sigma) && gauge.suffices(x, true) && kept !== undefined) {
      return {
        denoised: combineValues(x, kept.beyond, (value, beyond) => value + beyond),
        uncond: kept.uncond,
      };
    }
    const predicted = await denoise(x, sigma, needsUncond);
    const { denoised, uncond } = predicted;
    kept = { beyond: combineValues(denoised, x, (value, from) => value - from), uncond };
    gauge.note(x, denoised, denoised);
    return predicted;
  };
}
