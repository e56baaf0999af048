import type { Tensor } from '../../compute/tensor.js';

/**
 * How an input behaves where conditionings are cut to areas and share a batch (ComfyUI comfy/conds.py):
 * `rows` are N×…, and share a batch with others of their shape (CONDRegular); `picture` is the same, of the latent's height and
 * width, and cut with it (CONDNoiseShape); `tokens` are N×T×C, and repeated to a common length (CONDCrossAttn); `constant` is
 * the same for all rows, and shares a batch with its equal (CONDConstant).
 */
export type InputKind = 'rows' | 'picture' | 'tokens' | 'constant';

/** What a network is given beside latent and time, by the names of a model's `inputs`. */
export type NetworkInputs = Readonly<Record<string, Tensor>>;
