/** What a file that steers a denoiser holds: ComfyUI's CONTROL_NET (comfy/controlnet.py). */
import type { Tensor } from '../../compute/tensor.js';
import type { ControlledEvaluation, ControlResiduals } from '../denoiser/control.js';
import type { ControlKeyframe } from './keyframe.js';
import type { VaeModel } from '../vae/vae-model.js';

/** Light and immutable: weights are read at first use. */
export interface ControlNetwork {
  /** What its layers can be weighted by: a ControlNet's skips each, an adapter's features, or nothing. */
  readonly weightedBy: 'skips' | 'features' | 'nothing';
  /** When it counts how much, where its loader was told. */
  readonly keyframes?: readonly ControlKeyframe[];
  /** Changes exactly when what it computes would. */
  readonly identity: string;
  /** It sees a mask beside the picture. */
  readonly takesMask: boolean;
  /** The same told of what kind the picture is that it sees, by its number; for networks of several kinds, to others it means nothing. */
  withKind(kind: number | undefined): ControlNetwork;
  /** Shown a picture; what is computed of that alone is computed once. */
  show(picture: ControlPicture): ShownControl;
}

export interface ControlPicture {
  /** N×H×W×3 in [0, 1], of any size. */
  readonly image: Tensor;
  /** For networks that see latents. */
  readonly vae?: VaeModel | undefined;
  /** N×H×W, for networks that take one. */
  readonly mask?: Tensor | undefined;
}

export interface ShownControl {
  /** As the network gives them. Throws `ModelError` where it is made for another denoiser. */
  residuals(evaluation: ControlledEvaluation): Promise<ControlResiduals>;
}
