import { tensor, type Tensor } from '../../compute/tensor.js';
import { combineValues, mapValues } from '../../imaging/tensor-ops.js';
import type { GuidanceInput } from '../../models/denoiser/guidance.js';

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
    const planes = planeSets(cond);
    if (normThreshold > 0) {
      const norms = planes.products(guidance, guidance).map(Math.sqrt);
      guidance = planes.map(guidance, (value, set) => value * Math.min(1, normThreshold / norms[set]!));
    }
    // torch's normalize divides by no less than 1e-12.
    const lengths = planes.products(cond, cond).map((square) => Math.max(Math.sqrt(square), 1e-12));
    const direction = planes.map(cond, (value, set) => value / lengths[set]!);
    const along = planes.products(guidance, direction);
    const projected = planes.map(guidance, (value, set, index) => {
      const parallel = along[set]! * direction.data[index]!;
      return value - parallel + eta * parallel;
    });
    // What plain guidance adds, it is to add of this: uncond + cfg·(cond − uncond).
    const plain = combineValues(cond, uncond, (a, b) => (a - b) / cfg);
    const guided = combineValues(uncond, projected, (a, b) => a + b);
    return { cond: combineValues(guided, plain, (a, b) => a + b), uncond };
  };
}

/** ComfyUI measures over the last three axes, which are a picture's row, and one channel of a film. */
function planeSets({ shape, data }: Tensor) {
  const length = shape.slice(-3).reduce((product, extent) => product * extent, 1);
  const sets = data.length / length;
  const view = (value: Tensor) => tensor([sets, length], value.data);
  return {
    products: (a: Tensor, b: Tensor): number[] => {
      const [one, other] = [view(a), view(b)];
      return Array.from({ length: sets }, (_, set) => {
        let sum = 0;
        for (let at = set * length; at < (set + 1) * length; at++) sum += one.data[at]! * other.data[at]!;
        return sum;
      });
    },
    map(source: Tensor, apply: (value: number, set: number, index: number) => number): Tensor {
      let index = 0;
      return mapValues(source, (value) => {
        const at = index++;
        return apply(value, Math.floor(at / length), at);
      });
    },
  };
}
