import type { DenoiserInput } from '../denoiser/denoiser-input.js';

/** The text encoder's hidden states, N×T×C, for networks that attend to them and so may see them repeated. */
export const attendedText: DenoiserInput = {
  name: 'context',
  kind: 'tokens',
  prepare: ({ cond }) => cond,
};
