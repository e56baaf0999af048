import { combineValues } from '../../imaging/tensor-ops.js';
import type { Guidance } from '../../models/denoiser/guidance.js';

/**
 * Away from a prediction whose middle block attends to nothing but each token itself. Ahn et al., "Self-Rectifying Diffusion Sampling with
 * Perturbed-Attention Guidance", 2024 (ComfyUI comfy_extras/nodes_pag.py).
 */
export function perturbedAttentionGuidance(scale: number): NonNullable<Guidance['after']>[number] {
  return async ({ x, cond, denoised, evaluate }) => {
    if (scale === 0) return denoised;
    const perturbed = await evaluate('positive', x, [{ kind: 'keep-own-values' }]);
    const away = combineValues(cond, perturbed, (a, b) => (a - b) * scale);
    return combineValues(denoised, away, (a, b) => a + b);
  };
}
