import type { Tensor } from '../compute/tensor.js';
import { combineValues } from '../imaging/tensor-ops.js';
import type { Guidance, GuidanceInput } from '../models/denoiser/guidance.js';

/**
 * The guided prediction of a model's guidance (ComfyUI comfy/samplers.py, cfg_function): its own way of combining, or
 * plain classifier-free guidance, and then its changes.
 */
export async function combinePredictions(guidance: Guidance, input: GuidanceInput): Promise<Tensor> {
  const { combine = plainCombination, after = [] } = guidance;
  let denoised = await combine(input);
  for (const change of after) denoised = await change({ ...input, denoised });
  return denoised;
}

/** What `combinePredictions` is given after the guidance's changes of both predictions. */
export async function changePredictions(guidance: Guidance, input: GuidanceInput): Promise<GuidanceInput> {
  let changed = input;
  for (const change of guidance.before ?? []) changed = { ...changed, ...(await change(changed)) };
  return changed;
}

function plainCombination({ cond, uncond, cfg }: GuidanceInput): Tensor {
  return guide(cond, uncond, cfg);
}

/** uncond + (cond − uncond)·cfg, in float32. */
export function guide(cond: Tensor, uncond: Tensor, cfg: number): Tensor {
  const scale = Math.fround(cfg);
  return combineValues(cond, uncond, (a, b) => b + Math.fround(Math.fround(a - b) * scale));
}

/** Python's `math.isclose(value, target)`. */
export function isClose(value: number, target: number): boolean {
  return Math.abs(value - target) <= 1e-9 * Math.max(Math.abs(value), Math.abs(target));
}
