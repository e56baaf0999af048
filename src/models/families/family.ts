import type { DiffusionModelParts } from '../denoiser/create-diffusion-model.js';
import type { ByEncoder } from '../text/text-encoders.js';
import type { TextEncoding } from '../text/text-encoding.js';
import type { WeightSource } from '../weights/weight-source.js';

/** A file of weights, and the denoiser in it. */
export interface CheckpointFile {
  readonly whole: WeightSource;
  /** By the denoiser's own keys. */
  readonly denoiser: WeightSource;
}

/** A family of diffusion models: what its files look like, and what they hold. */
export interface Family {
  /** For people: `sdxl`. */
  readonly name: string;
  /** As a sentence lists what is supported. */
  readonly title: string;
  /** Whether a file's denoiser is of this family, by its keys and shapes. Throws `ModelError` where these contradict each other. */
  recognises(file: CheckpointFile): boolean;
  /** What there is in a file that it recognises. Opening it reads no weights but marks and single layers. */
  read(file: CheckpointFile): FamilyModel;
}

export interface FamilyText {
  readonly encoding: TextEncoding;
  /** Those encoders that the file has. */
  readonly weights: ByEncoder<WeightSource>;
}

/** What a family reads off a file. */
export interface FamilyModel {
  /** `sdxl`, `sd1 inpainting`, `sd2 v_prediction`, …: family and kind, for people. */
  readonly description: string;
  readonly denoiser: DiffusionModelParts;
  /** Its text encoders; undefined where they come in files of their own. */
  readonly text: FamilyText | undefined;
  /** The autoencoder, where the file has one. */
  readonly vae: WeightSource | undefined;
  /** The image encoder, of families that are shown pictures, where the file has one: its tower under transformers' names. */
  readonly imageEncoder?: WeightSource;
  /** It draws pictures from a prompt alone, without another picture to go by. */
  readonly drawsFromText: boolean;
  /** Pixels a side of the pictures that it was trained on. */
  readonly trainedSide: number;
}
