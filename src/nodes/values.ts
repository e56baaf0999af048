/** What travels along a workflow's links. The keys of `ValueTypes` are ComfyUI's type names. */
import type { Tensor } from '../compute/tensor.js';
import type { ClipModel } from '../models/clip/clip-model.js';
import type { DiffusionModel } from '../models/diffusion-model.js';
import type { VaeModel } from '../models/vae/vae-model.js';

/** N×H×W×C in [0, 1], C = 3 (or 4 where a node keeps alpha). */
export type Image = Tensor;

/** N×H×W in [0, 1]. */
export type Mask = Tensor;

/** ComfyUI's LATENT dictionary. */
export interface Latent {
  /** N×C×h×w, already divided by the family's scale factor as VAEEncode hands it on. */
  readonly samples: Tensor;
  /** N×1×h'×w' in [0, 1], 1 where noise is put; resized to the latent when sampling starts. */
  readonly noiseMask?: Tensor;
  /** For each row, which draw of the noise generator it takes (`LatentFromBatch`). */
  readonly batchIndex?: readonly number[];
}

/** A rectangle of the latent: in latent pixels, or as fractions of its height and width (ConditioningSetAreaPercentage). */
export interface Area {
  readonly unit: 'pixel' | 'fraction';
  readonly height: number;
  readonly width: number;
  readonly y: number;
  readonly x: number;
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
}

export type Conditioning = readonly ConditioningEntry[];

export interface ValueTypes {
  MODEL: DiffusionModel;
  CLIP: ClipModel;
  VAE: VaeModel;
  CONDITIONING: Conditioning;
  LATENT: Latent;
  IMAGE: Image;
  MASK: Mask;
  INT: number;
  FLOAT: number;
  STRING: string;
  BOOLEAN: boolean;
}

export type ValueType = keyof ValueTypes;
