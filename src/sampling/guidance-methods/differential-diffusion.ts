import { mapValues } from '../../imaging/tensor-ops.js';
import type { Guidance } from '../../models/denoiser/guidance.js';

/**
 * The noise mask as the share of sampling that each place takes part in: at a step, what lies above the time that is left. Levin and Fried,
 * "Differential Diffusion: Giving Each Pixel Its Strength", 2023 (ComfyUI comfy_extras/nodes_differential_diffusion.py).
 * Below 1, `strength` mixes that with the mask itself; 0 counts as 1, as there.
 */
export function differentialMask(strength: number): NonNullable<Guidance['noiseMask']> {
  return (mask, { sigma, sigmas, sampling: { levels } }) => {
    const least = levels.sigmaMin;
    const last = sigmas.at(-1) ?? 0;
    const [from, to, now] = [sigmas[0] ?? 0, last > least ? last : least, sigma].map((level) =>
      Math.fround(levels.sigmaToTimestep(level)),
    ) as [number, number, number];
    const threshold = Math.fround(Math.fround(now - to) / Math.fround(from - to));
    const isMixed = strength > 0 && strength < 1;
    return mapValues(mask, (value) => {
      const open = value >= threshold ? 1 : 0;
      return isMixed ? strength * open + Math.fround(1 - strength) * value : open;
    });
  };
}
