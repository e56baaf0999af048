/** What turns pictures into features that prompts can be joined by: ComfyUI's CLIP_VISION (comfy/clip_vision.py). */
import type { Tensor } from '../../compute/tensor.js';

/** ComfyUI's CLIP_VISION_OUTPUT. */
export interface EncodedImages {
  /** N×T×C: the last layer's, one token for the picture and one for each patch; SigLIP's has patches alone, and is normalised. */
  readonly lastHidden: Tensor;
  /** N×T×C: of the layer before it. */
  readonly penultimate: Tensor;
  /** N×E: the picture as a whole, as CLIP compares it with a text; SigLIP's is `lastHidden`. */
  readonly embeds: Tensor;
}

/** Whether what sticks out of a square is cut off, or the picture squeezed into it. */
export type SquareCrop = 'center' | 'none';

/** Light and immutable: weights are read at first use. */
export interface ImageEncoder {
  /** Changes exactly when results would. */
  readonly identity: string;
  /** Pixels a side of the squares that it sees. */
  readonly imageSize: number;
  /** Images N×H×W×C in [0, 1], one after the other. */
  encode(images: Tensor, crop: SquareCrop): Promise<EncodedImages>;
  /** Images as planes N×3×`imageSize`×`imageSize` that the network takes. */
  preprocess(images: Tensor, crop: SquareCrop): Tensor;
  /** The same as `encode`, of such planes. */
  encodePlanes(planes: Tensor): Promise<EncodedImages>;
}
