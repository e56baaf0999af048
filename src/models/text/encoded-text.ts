import type { Tensor } from '../../compute/tensor.js';
import type { HookGroup } from '../weights/hooks.js';

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
  /** Change the denoiser's weights where the prompt counts (SetClipHooks). */
  readonly hooks?: HookGroup;
}

/** What encoders make of a text: one prompt, or one for each part of sampling, as their hooks' strengths change. */
export interface ScheduledText extends EncodedText {
  /** Shares of sampling, 0 to 1, and the prompt there; all of it when left out. */
  readonly parts?: readonly TimedText[];
}

export interface TimedText extends EncodedText {
  readonly textStartPercent: number;
  readonly textEndPercent: number;
}
