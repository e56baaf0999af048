/** Angles by which language models turn the pairs of each head (ComfyUI comfy/text_encoders/llama.py, precompute_freqs_cis). */
import { tensor, type Tensor } from '../../../compute/tensor.js';

export interface RotaryKind {
  readonly headDim: number;
  readonly theta: number;
  /** Pairs that turn with time, row and column of a picture. */
  readonly pictureAxes?: readonly number[];
}

/** 1×T×(d/2). `positions`: of each token along three axes; left out, tokens are counted. float32 throughout, as torch has it. */
export function rotaryAngles(
  tokens: number,
  { headDim, theta, pictureAxes = [] }: RotaryKind,
  positions?: readonly (readonly number[])[],
): { readonly cosines: Tensor; readonly sines: Tensor } {
  const pairs = headDim / 2;
  const shape = [1, tokens, pairs];
  const [cosines, sines] = [tensor(shape), tensor(shape)];
  const axisOf = pictureAxes.flatMap((count, axis) => Array.from({ length: count }, () => axis));
  for (let pair = 0; pair < pairs; pair++) {
    const frequency = Math.fround(1 / Math.fround(theta ** Math.fround((2 * pair) / headDim)));
    const along = positions?.[axisOf[pair] ?? 0];
    for (let token = 0; token < tokens; token++) {
      const angle = Math.fround((along?.[token] ?? token) * frequency);
      cosines.data[token * pairs + pair] = Math.cos(angle);
      sines.data[token * pairs + pair] = Math.sin(angle);
    }
  }
  return { cosines, sines };
}
