import { tensor, type Tensor } from '../../compute/tensor.js';
import { combineValues } from '../../imaging/tensor-ops.js';
import type { GuidanceInput } from '../../models/denoiser/guidance.js';
import { mapRows, rowProducts } from './rows.js';

export interface ProjectedGuidance {
  /** Scales the part of guidance that runs along the prediction; 1 leaves it. */
  readonly eta: number;
  /** The most that guidance may measure; 0 for no bound. */
  readonly normThreshold: number;
  /** Share of earlier steps' guidance that is added; 0 for none. */
  readonly momentum: number;
}

/**
 * Adaptive projected guidance: a bound on guidance, its part along the prediction scaled apart from the rest. Sadat et al.,
 * "Eliminating Oversaturation and Artifacts of High Guidance Scales in Diffusion Models", 2024 (ComfyUI comfy_extras/nodes_apg.py,
 * whose running average, like this one, begins anew where the noise level rises).
 */
export function adaptiveProjectedGuidance({ eta, normThreshold, momentum }: ProjectedGuidance) {
  let average: Tensor | undefined;
  let before = 0;
  return ({ cond, uncond, cfg, sigma }: GuidanceInput): Pick<GuidanceInput, 'cond' | 'uncond'> => {
    if (sigma > before) average = undefined;
    before = sigma;
    let guidance = combineValues(cond, uncond, (a, b) => a - b);
    if (momentum !== 0) {
      const last = average;
      if (last !== undefined) guidance = combineValues(last, guidance, (a, b) => momentum * a + b);
      average = guidance;
    }
    const direction = normalised(asSets(cond));
    let bounded = asSets(guidance);
    if (normThreshold > 0) {
      const norms = rowProducts(bounded, bounded).map(Math.sqrt);
      bounded = mapRows(bounded, (value, set) => value * Math.min(1, normThreshold / norms[set]!));
    }
    const along = rowProducts(bounded, direction);
    const sets = mapRows(bounded, (value, set, index) => {
      const parallel = along[set]! * direction.data[index]!;
      return value - parallel + eta * parallel;
    });
    const projected = tensor(cond.shape, sets.data);
    // What plain guidance adds, it is to add of this: uncond + cfg·(cond − uncond).
    const plain = combineValues(cond, uncond, (a, b) => (a - b) / cfg);
    const guided = combineValues(uncond, projected, (a, b) => a + b);
    return { cond: combineValues(guided, plain, (a, b) => a + b), uncond };
  };
}

/** A row for each run of the last three axes, over which ComfyUI measures: a picture, or one channel of a film. */
function asSets({ shape, data }: Tensor): Tensor {
  const length = shape.slice(-3).reduce((product, extent) => product * extent, 1);
  return tensor([data.length / length, length], data);
}

/** Rows of length 1; torch's normalize divides by no less than 1e-12. */
function normalised(sets: Tensor): Tensor {
  const lengths = rowProducts(sets, sets).map((square) => Math.max(Math.sqrt(square), 1e-12));
  return mapRows(sets, (value, set) => value / lengths[set]!);
}
