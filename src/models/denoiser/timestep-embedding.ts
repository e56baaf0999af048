import { tensor, type Tensor } from '../../compute/tensor.js';

const maxPeriod = 10000;

/**
 * Sinusoidal embedding of each timestep (fractional ones included): `dim/2` cosines, then as many sines, N×dim.
 * Every step is rounded to float32 as torch does it (ComfyUI comfy/ldm/modules/diffusionmodules/util.py, timestep_embedding).
 */
export function timestepEmbedding(timesteps: ArrayLike<number>, dim: number): Tensor {
  const half = Math.floor(dim / 2);
  const scale = Math.fround(-Math.log(maxPeriod));
  const frequencies = Float32Array.from({ length: half }, (_, index) =>
    Math.exp(Math.fround(Math.fround(scale * index) / half)),
  );
  const embedding = tensor([timesteps.length, dim]);
  for (let row = 0; row < timesteps.length; row++) {
    const timestep = Math.fround(timesteps[row]!);
    frequencies.forEach((frequency, index) => {
      const angle = Math.fround(timestep * frequency);
      embedding.data[row * dim + index] = Math.cos(angle);
      embedding.data[row * dim + half + index] = Math.sin(angle);
    });
  }
  return embedding;
}
