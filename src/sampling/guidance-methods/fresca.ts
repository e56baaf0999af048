import { tensor, type Tensor } from '../../compute/tensor.js';
import { combineValues } from '../../imaging/tensor-ops.js';
import type { GuidanceInput } from '../../models/denoiser/guidance.js';

export interface FrequencyScales {
  readonly low: number;
  readonly high: number;
  /** Frequencies to each side of 0 that are low ones. */
  readonly cutoff: number;
}

/**
 * Guidance whose low and high frequencies are scaled apart. Huang et al., "FreSca: Scaling in Frequency Space Enhances Diffusion
 * Models", 2025 (ComfyUI comfy_extras/nodes_fresca.py). Without a negative prompt there is no guidance to scale.
 */
export function frequencyScaled(scales: FrequencyScales) {
  return ({ cond, uncond, hasUncond }: GuidanceInput): Pick<GuidanceInput, 'cond' | 'uncond'> => {
    if (!hasUncond) return { cond, uncond };
    const guidance = combineValues(cond, uncond, (a, b) => a - b);
    return { cond: combineValues(filtered(guidance, scales), uncond, (a, b) => a + b), uncond };
  };
}

/** high·x + (low − high)·(x's low frequencies), in each plane of the last two axes. */
function filtered(x: Tensor, { low, high, cutoff }: FrequencyScales): Tensor {
  const [height = 1, width = 1] = x.shape.slice(-2);
  const rows = bandProjection(height, cutoff);
  const columns = bandProjection(width, cutoff);
  const result = tensor(x.shape);
  const area = height * width;
  const real = new Float64Array(area);
  const imaginary = new Float64Array(area);
  for (let start = 0; start < x.data.length; start += area) {
    // Along each line, then the real part along each column.
    for (let y = 0; y < height; y++) {
      for (let to = 0; to < width; to++) {
        let [re, im] = [0, 0];
        for (let from = 0; from < width; from++) {
          const value = x.data[start + y * width + from]!;
          const shift = (to - from + width) % width;
          re += value * columns.real[shift]!;
          im += value * columns.imaginary[shift]!;
        }
        real[y * width + to] = re;
        imaginary[y * width + to] = im;
      }
    }
    for (let to = 0; to < height; to++) {
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let from = 0; from < height; from++) {
          const at = from * width + column;
          const shift = (to - from + height) % height;
          sum += real[at]! * rows.real[shift]! - imaginary[at]! * rows.imaginary[shift]!;
        }
        const at = start + to * width + column;
        result.data[at] = high * x.data[at]! + (low - high) * sum;
      }
    }
  }
  return result;
}

/**
 * What a line's frequencies from −band to band − 1 add up to, as a filter by distance. ComfyUI's band has one frequency more below 0 than
 * above, so that the filter is complex.
 */
function bandProjection(extent: number, cutoff: number): { real: Float64Array; imaginary: Float64Array } {
  const band = Math.min(cutoff, Math.floor(extent / 2));
  const real = new Float64Array(extent);
  const imaginary = new Float64Array(extent);
  for (let distance = 0; distance < extent; distance++) {
    for (let frequency = -band; frequency < band; frequency++) {
      const angle = (2 * Math.PI * ((frequency * distance) % extent)) / extent;
      real[distance]! += Math.cos(angle) / extent;
      imaginary[distance]! += Math.sin(angle) / extent;
    }
  }
  return { real, imaginary };
}
