/**
 * Steps whose prediction is that of the step before, moved along with the latent, where it would change little (ComfyUI
 * comfy_extras/nodes_easycache.py; Zhou et al., "Less is Enough: Training-Free Video Diffusion Acceleration via Runtime-Adaptive
 * Caching", 2025).
 */
import type { Tensor } from '../compute/tensor.js';
import type { StepCache } from '../models/denoiser/guidance.js';
import type { ModelSampling } from '../models/denoiser/model-sampling.js';

/** Changes are measured on every so manieth row and column. */
const SPACING = 8;

/** How much would change since the last prediction, as changes of input and output have gone together so far. */
export class ChangeGauge {
  private readonly start: number;
  private readonly end: number;
  private last:
    { readonly x: Float32Array; readonly output: Float32Array; readonly norm: number } | undefined;
  private rate: number | undefined;
  private gathered = 0;
  private inputChange: number | undefined;

  constructor(
    private readonly cache: StepCache,
    { levels }: ModelSampling,
  ) {
    this.start = levels.percentToSigma(cache.start);
    this.end = levels.percentToSigma(cache.end);
  }

  isOver(sigma: number): boolean {
    return !(sigma > this.end);
  }

  hasBegun(sigma: number): boolean {
    return sigma <= this.start;
  }

  /** Forgets what it saw of the step's input. */
  begin(): void {
    this.inputChange = undefined;
  }

  /** Whether the last prediction does for this input. */
  suffices(x: Tensor, isThere: boolean): boolean {
    const { last, rate } = this;
    if (last === undefined) return false;
    this.inputChange = meanDifference(sparse(x), last.x);
    if (rate === undefined) return false;
    this.gathered += (rate * this.inputChange) / last.norm;
    if (this.gathered < this.cache.threshold && isThere) return true;
    this.gathered = 0;
    return false;
  }

  /** Takes note of a prediction; `whole` is all that was predicted with it. */
  note(x: Tensor, output: Tensor, whole: Tensor): void {
    const seen = sparse(output);
    if (this.last !== undefined && this.inputChange !== undefined) {
      this.rate = meanDifference(seen, this.last.output) / this.inputChange;
    }
    const norm = whole.data.reduce((sum, value) => sum + Math.abs(value), 0) / whole.data.length;
    this.last = { x: sparse(x), output: seen, norm };
  }
}

/** Rows and columns of the last two axes, `SPACING` apart. */
function sparse({ shape, data }: Tensor): Float32Array {
  const [height = 1, width = 1] = shape.slice(-2);
  const kept: number[] = [];
  for (let plane = 0; plane < data.length; plane += height * width) {
    for (let y = 0; y < height; y += SPACING) {
      for (let x = 0; x < width; x += SPACING) kept.push(data[plane + y * width + x]!);
    }
  }
  return Float32Array.from(kept);
}

function meanDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + Math.abs(value - b[at]!), 0) / a.length;
}
