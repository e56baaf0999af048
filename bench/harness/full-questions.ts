/** What a transformer of full size is asked: the text's width and what else it takes. */
import { tensor, type Tensor } from '../../src/compute/tensor.js';

const questions: Readonly<Record<string, () => Readonly<Record<string, Tensor>>>> = {
  'flux-dev': () => ({
    context: waves([1, 256, 4096]),
    pooled: waves([1, 768]),
    guidance: tensor([1, 1], Float32Array.of(3.5)),
  }),
  z_image: () => ({ context: waves([1, 64, 2560]) }),
  qwen_image: () => ({ context: waves([1, 64, 3584]) }),
};

/** The inputs of a denoiser of `full-layouts.json` beside latent and time. */
export function questionOf(name: string): Readonly<Record<string, Tensor>> {
  const question = questions[name];
  if (question === undefined)
    throw new Error(`unknown model ${name}; known are ${Object.keys(questions).join(', ')}`);
  return question();
}

/** Values spread between -1 and 1, the same in every run. */
export function waves(shape: readonly number[]): Tensor {
  const made = tensor(shape);
  for (let index = 0; index < made.data.length; index++) made.data[index] = Math.sin(index * 12.9898);
  return made;
}
