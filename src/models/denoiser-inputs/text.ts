import { tensor } from '../../compute/tensor.js';
import type { DenoiserInput } from '../denoiser/denoiser-input.js';

/** The text encoder's hidden states, N×T×C, for networks that attend to them and so may see them repeated. */
export const attendedText: DenoiserInput = {
  name: 'context',
  kind: 'tokens',
  prepare: ({ cond }) => cond,
};

/** The same for networks whose text has positions or is padded: prompts of different lengths are evaluated apart. */
export const wholeText: DenoiserInput = { ...attendedText, kind: 'rows' };

/** The same with zeros before the first token where there are fewer than `least`. */
export function paddedText(least: number): DenoiserInput {
  return {
    ...wholeText,
    prepare({ cond }) {
      const [rows = 1, tokens = 0, width = 0] = cond.shape;
      if (tokens >= least) return cond;
      const padded = tensor([rows, least, width]);
      for (let row = 0; row < rows; row++) {
        const own = cond.data.subarray(row * tokens * width, (row + 1) * tokens * width);
        padded.data.set(own, ((row + 1) * least - tokens) * width);
      }
      return padded;
    },
  };
}

/** The encoders' pooled output, N×C, where the conditioning has one. */
export const pooledText: DenoiserInput = {
  name: 'pooled',
  kind: 'rows',
  prepare: ({ pooled }) => pooled,
};

/** How strongly a distilled model follows the prompt, N×1; `otherwise` where the conditioning says nothing. */
export function distilledGuidance(otherwise: number): DenoiserInput {
  return {
    name: 'guidance',
    kind: 'rows',
    prepare: ({ guidance = otherwise }) =>
      guidance === null ? undefined : tensor([1, 1], Float32Array.of(guidance)),
  };
}
