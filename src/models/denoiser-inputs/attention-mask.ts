import type { DenoiserInput } from '../denoiser/denoiser-input.js';

/** Which tokens of the text are seen, N×T; none where all are. */
export const attentionMask: DenoiserInput = {
  name: 'attention_mask',
  kind: 'rows',
  prepare: ({ attentionMask: mask }) => mask,
};
