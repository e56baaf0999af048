import type { Tensor } from '../../compute/tensor.js';

/** An encoded prompt: hidden states 1×T×C and what else an encoder gives. */
export interface EncodedText {
  readonly cond: Tensor;
  /** 1×C. */
  readonly pooled?: Tensor;
  /** 1×T, 1 = seen, 0 = padding. */
  readonly attentionMask?: Tensor;
  /** HiDream: the states of all layers of Llama, 1×L×T×C. */
  readonly llama?: Tensor;
  /** Anima: T5's tokens, and their weights, 1×T each. */
  readonly t5Tokens?: Tensor;
  readonly t5Weights?: Tensor;
}
