/** Encoded prompts, with where, when and how strongly each counts in sampling. */
import type { Tensor } from '../../compute/tensor.js';
import type { HookGroup } from '../weights/hooks.js';
import type { Control } from './control.js';
import type { Grounding } from './grounding.js';

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
/**
 * Where reference pictures lie beside the one that is made: behind each other along its edges (`offset`), each in a layer of its own
 * (`index`), with the modulation of no noise there (`index_timestep_zero`), from its lower right corner on (`uxo`), or in layers before
 * it (`negative_index`).
 */
export type ReferenceMethod = 'offset' | 'index' | 'index_timestep_zero' | 'uxo' | 'negative_index';

export interface SteeringFilm {
  readonly frames: Tensor;
  readonly mask: Tensor;
  readonly strength: number;
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
  /** N×T, 1 where a token is seen, 0 where it is padding. */
  readonly attentionMask?: Tensor;
  /** Distilled guidance (Flux); null for none, the model's own when left out. */
  readonly guidance?: number | null;
  /** Latents of pictures that are edited or looked at, as autoencoders give them (Flux Kontext, Qwen-Image-Edit). */
  readonly referenceLatents?: readonly Tensor[];
  /** How these are placed; the model's own way when left out. */
  readonly referenceMethod?: ReferenceMethod;
  /** What an image encoder's layer before the last made of pictures, N×T×C (Wan's image to video). */
  readonly pictureStates?: Tensor;
  /** Films that steer another (Wan VACE): N×2C×F×h×w, what stays and what changes, a mask N×64×F×h×w, and how strongly they count. */
  readonly steeringFilms?: readonly SteeringFilm[];
  /** A camera's path, N×24×F×H×W: rays of four frames' pixels (Wan Fun camera). */
  readonly camera?: Tensor;
  /** Latents of subjects that a film shows, N×C×F×h×w (Phantom). */
  readonly subjects?: Tensor;
  /** Channels of `concatLatentImage` before which the mask lies; 0 when left out. */
  readonly concatMaskPlace?: number;
  /** HiDream: the states of all layers of Llama, N×L×T×C. */
  readonly llama?: Tensor;
  /** Anima: T5's tokens, and their weights, N×T. */
  readonly t5Tokens?: Tensor;
  readonly t5Weights?: Tensor;
  /** What steers the denoiser where this entry counts. */
  readonly control?: Control;
  /** The same one counts where entries of other prompts have none. */
  readonly controlsOthers?: boolean;
  /** What lies where (GLIGEN). */
  readonly grounding?: Grounding;
  /** Change the denoiser's weights where this entry counts. */
  readonly hooks?: HookGroup;
  /** It counts where the others of its list leave room. */
  readonly isDefault?: boolean;
  /** Shares of sampling for which its text was encoded; narrows `startPercent` and `endPercent`. */
  readonly textStartPercent?: number;
  readonly textEndPercent?: number;
}

export type Conditioning = readonly ConditioningEntry[];

/** Whose prompt an entry is; it sets the default aesthetic score of SDXL's refiner. */
export type PromptRole = 'positive' | 'negative';
