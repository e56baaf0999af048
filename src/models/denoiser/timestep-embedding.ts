import { tensor, type Tensor } from '../../compute/tensor.js';

const maxPeriod = 10000;

/** Where torch's exponential isn't the nearest float32, by that: at the large times of guidance (30,000) it shows. */
const TORCH_EXPONENTIALS: ReadonlyMap<number, number> = new Map([
  [0.4216964840888977, 0.4216965138912201],
  [0.00048696750309318304, 0.0004869675321970135],
  [0.8912509083747864, 0.8912509679794312],
  [0.08912508934736252, 0.08912509679794312],
  [0.007147702854126692, 0.007147703319787979],
  [0.005360023584216833, 0.005360023118555546],
]);

/** 10000^(−i/count), as torch has it in float32. */
export function timestepFrequencies(count: number): Float32Array {
  const scale = Math.fround(-Math.log(maxPeriod));
  return Float32Array.from({ length: count }, (_, index) => {
    const nearest = Math.fround(Math.exp(Math.fround(Math.fround(scale * index) / count)));
    return TORCH_EXPONENTIALS.get(nearest) ?? nearest;
  });
}

/**
 * Sinusoidal embedding of each timestep (fractional ones included): `dim/2` cosines, then as many sines, N×dim. Angles are multiplied
 * by `factor` where a family scales them instead of its times.
 * Every step is rounded to float32 as torch does it (ComfyUI comfy/ldm/modules/diffusionmodules/util.py, timestep_embedding).
 */
export function timestepEmbedding(timesteps: ArrayLike<number>, dim: number, factor = 1): Tensor {
  const half = Math.floor(dim / 2);
  const frequencies = timestepFrequencies(half);
  const embedding = tensor([timesteps.length, dim]);
  for (let row = 0; row < timesteps.length; row++) {
    const timestep = Math.fround(timesteps[row]!);
    frequencies.forEach((frequency, index) => {
      const angle = Math.fround(factor * Math.fround(timestep * frequency));
      embedding.data[row * dim + index] = Math.cos(angle);
      embedding.data[row * dim + half + index] = Math.sin(angle);
    });
  }
  return embedding;
}
