/** What counts when (ComfyUI-Advanced-ControlNet adv_control/utils.py). */
import type { Tensor } from '../../compute/tensor.js';

/** How much each layer counts. */
export interface ControlWeights {
  /** The last skip counts this much, each before it as much less again; the middle counts in full. */
  readonly base: number;
  /** Of what the negative prompt gets. */
  readonly negative: number;
}

/** How much a control counts for one latent of a batch; negative indices count from the end. */
export interface LatentKeyframe {
  readonly index: number;
  readonly strength: number;
}

/** What counts from a share of sampling on. */
export interface ControlKeyframe {
  /** 0 to 1. */
  readonly start: number;
  readonly strength: number;
  readonly weights?: ControlWeights | undefined;
  readonly latents?: readonly LatentKeyframe[] | undefined;
  /** Of latents that `latents` doesn't name. */
  readonly strengthOfOthers: number;
  /** Weights and latents that it has none of stay the earlier keyframe's. */
  readonly inherits: boolean;
  /** How many steps it counts at least, where sampling begins before it. */
  readonly guaranteedSteps: number;
  /** N×H×W. */
  readonly mask?: Tensor | undefined;
}

/** What stands first in every list. */
export const ALWAYS: ControlKeyframe = {
  start: 0,
  strength: 1,
  strengthOfOthers: 0,
  inherits: true,
  guaranteedSteps: 0,
};

/** With another keyframe, in order of their starts. */
export function withKeyframe(
  keyframes: readonly ControlKeyframe[],
  keyframe: ControlKeyframe,
): readonly ControlKeyframe[] {
  return [...keyframes, keyframe].sort((a, b) => a.start - b.start);
}
