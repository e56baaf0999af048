import { elementCount, tensor, type Tensor } from '../compute/tensor.js';
import { roundHalfEven } from '../imaging/rounding.js';
import { upscaleLatent, type LatentUpscaleMethod } from '../imaging/upscale.js';
import type { Denoise } from './guider.js';
import type { RandomStream } from './noise.js';

/** How a latent grows between LCM's steps. */
export interface LatentGrowth {
  /** From first to last. */
  readonly ratio: number;
  /** In how many steps; in half of a run's when left out. */
  readonly steps: number | undefined;
  readonly method: LatentUpscaleMethod;
}

/** LCM's steps over a latent that grows between them (ComfyUI comfy_extras/nodes_advanced_samplers.py, sample_lcm_upscale). */
export async function sampleLcmUpscale(
  start: Tensor,
  sigmas: Float32Array,
  { ratio, steps, method }: LatentGrowth,
  denoise: Denoise,
  random: RandomStream,
  onStep: (step: number, denoised: Tensor) => void,
): Promise<{ readonly sample: Tensor; readonly denoised: Tensor | undefined }> {
  const sizes = steps === undefined ? Math.max(Math.floor(sigmas.length / 2) + 1, 2) : steps + 1;
  const count = Math.min(sizes, sigmas.length + 1) - 1;
  const [height = 1, width = 1] = start.shape.slice(-2);
  let x = start;
  let last: Tensor | undefined;
  for (let step = 0; step < sigmas.length - 1; step++) {
    const { denoised } = await denoise(x, sigmas[step]!, false);
    last = denoised;
    onStep(step + 1, denoised);
    x = denoised;
    if (step < count) {
      // numpy.linspace, of which the end is exact.
      const scale = step === count - 1 ? ratio : 1 + (step + 1) * ((ratio - 1) / count);
      const target = { height: roundHalfEven(height * scale), width: roundHalfEven(width * scale) };
      x = upscaleLatent(x, method, target);
    }
    const sigma = sigmas[step + 1]!;
    if (sigma <= 0) continue;
    const noise = random.normals(elementCount(x.shape));
    x = tensor(
      x.shape,
      x.data.map((value, index) => value + Math.fround(sigma * noise[index]!)),
    );
  }
  return { sample: x, denoised: last };
}
