/** Encoded prompts, with where, when and how strongly each counts in sampling. */
import type { Tensor } from '../../compute/tensor.js';
import type { Control } from './control.js';

/** A rectangle of the latent: in latent pixels, or as fractions of its height and width (ConditioningSetAreaPercentage). */
export interface Area {
  readonly unit: 'pixel' | 'fraction';
  readonly height: number;
  readonly width: number;
  readonly y: number;
  readonly x: number;
}

/** An encoded picture as a part of a prompt. */
export interface PicturePrompt {
  /** N×E */
  readonly embeds: Tensor;
  readonly strength: number;
  /** Share of the noise levels that the embedding is noised by, 0 to 1. */
  readonly noise: number;
}

/** One entry of ComfyUI's CONDITIONING list: `[cond, {…}]`. */
export interface ConditioningEntry {
  /** N×T×C, the text encoder's hidden states. */
  readonly cond: Tensor;
  /** N×C, the pooled output, where the encoder has one. */
  readonly pooled?: Tensor;
  /** SDXL's size conditioning, in pixels (CLIPTextEncodeSDXL, refiner). */
  readonly width?: number;
  readonly height?: number;
  readonly cropWidth?: number;
  readonly cropHeight?: number;
  readonly targetWidth?: number;
  readonly targetHeight?: number;
  readonly aestheticScore?: number;
  /** Share of sampling after which the entry begins to count, 0 to 1. */
  readonly startPercent?: number;
  readonly endPercent?: number;
  /** Weight of the entry beside others of its list. */
  readonly strength?: number;
  readonly area?: Area;
  readonly mask?: Tensor;
  readonly maskStrength?: number;
  readonly setAreaToBounds?: boolean;
  /** Inpainting models: the encoded image and the mask beside it. */
  readonly concatLatentImage?: Tensor;
  readonly concatMask?: Tensor;
  /** Pictures that the prompt is joined by (unCLIPConditioning). */
  readonly pictures?: readonly PicturePrompt[];
  /** What steers the denoiser where this entry counts. */
  readonly control?: Control;
  /** The same one counts where entries of other prompts have none. */
  readonly controlsOthers?: boolean;
}

export type Conditioning = readonly ConditioningEntry[];

/** Whose prompt an entry is; it sets the default aesthetic score of SDXL's refiner. */
export type PromptRole = 'positive' | 'negative';
