import type { Tensor } from '../../compute/tensor.js';
import type { WeightPatches } from '../lora/patches.js';
import type { WeightSource } from '../weight-source.js';

/** An encoded prompt: hidden states 1×T×C and the pooled output 1×C. */
export interface EncodedText {
  readonly cond: Tensor;
  readonly pooled?: Tensor;
}

/** Which of a checkpoint's text encoders: `l` (CLIP-L), `g` (OpenCLIP bigG), `h` (OpenCLIP-H). */
export type ClipPart = 'l' | 'g' | 'h';

/** A checkpoint's text encoders with their tokenizers. Light and immutable: weights are read at the first `encode`. */
export interface ClipModel {
  readonly identity: string;
  /** Each encoder's weights by Hugging Face's names (`text_model.encoder.layers.0…`), for LoRAs to find theirs. */
  readonly weights: Readonly<Partial<Record<ClipPart, WeightSource>>>;
  /** Encodes a prompt with weights, escapes and embeddings; SDXL takes the same text for both encoders. */
  encode(text: string): Promise<EncodedText>;
  /** SDXL's CLIPTextEncodeSDXL: a text for each encoder, padded to the same number of 77-token chunks. */
  encodeParts(texts: Readonly<Partial<Record<ClipPart, string>>>): Promise<EncodedText>;
  /** CLIPSetLastLayer: −1 is the last layer, −2 the one before. */
  withLayer(stopAtLayer: number): ClipModel;
  /** Patches by encoder, keys as in that encoder's own weights (`text_model.encoder.layers.0…`). */
  withPatches(patches: Readonly<Partial<Record<ClipPart, WeightPatches>>>): ClipModel;
}
