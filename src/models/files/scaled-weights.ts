import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';

/** What files hold beside weights that mean nothing without it (ComfyUI comfy/utils.py, convert_old_quants). */
const scaleKeys = /(^|\.)(scaled_fp8|scale_weight|weight_scale(_2)?|comfy_quant)$/;

/**
 * Throws `ModelError` for a file whose weights have scales of their own: read without them it would give a picture, a wrong
 * one.
 */
export function refuseScaledWeights(weights: WeightSource): void {
  for (const key of weights.keys()) {
    if (!scaleKeys.test(key)) continue;
    throw new ModelError(
      `${weights.path} has weights with scales of their own (${key}), which are not supported yet; take the model in fp16, bf16, fp32 or plain fp8`,
    );
  }
}
