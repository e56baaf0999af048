import type { EncoderLoraName } from '../weights/lora-name.js';
import type { WeightPatches } from '../weights/weight-patches.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { ScheduledText } from './encoded-text.js';
import type { PromptLengths, PromptRequest } from './text-encoding.js';

export type { EncoderLoraName } from '../weights/lora-name.js';
export type { EncodedText, ScheduledText } from './encoded-text.js';
export type { PromptLengths, PromptRequest } from './text-encoding.js';

/** By the names of a family's text encoders: `l` (CLIP-L), `g` (OpenCLIP bigG), `h` (OpenCLIP-H). */
export type ByEncoder<Value> = Readonly<Record<string, Value>>;

/** A model's text encoders with their tokenizers: ComfyUI's CLIP object. Light and immutable: weights are read at the first `encode`. */
export interface TextEncoders {
  readonly identity: string;
  /** Each encoder's weights by Hugging Face's names (`text_model.encoder.layers.0…`), for LoRAs to find theirs. */
  readonly weights: ByEncoder<WeightSource>;
  /** Names that LoRAs have for these weights; where several name one, the last found counts. */
  loraNames(): Iterable<EncoderLoraName>;
  /** Encodes a prompt with weights, escapes and embeddings; every encoder gets the same text. */
  encode(text: string, request?: PromptRequest): Promise<ScheduledText>;
  /**
   * A text for each encoder (CLIPTextEncodeSDXL), padded to the same number of sections; `leaveEmpty`: an empty one is no text at
   * all (CLIPTextEncodeSD3).
   */
  encodeParts(texts: ByEncoder<string>, options?: { readonly leaveEmpty?: boolean }): Promise<ScheduledText>;
  /** CLIPSetLastLayer: −1 is the last layer, −2 the one before. */
  withLayer(stopAtLayer: number): TextEncoders;
  /** T5TokenizerOptions. */
  withLengths(lengths: PromptLengths): TextEncoders;
  /** Patches by encoder, keys as in that encoder's own weights (`text_model.encoder.layers.0…`). */
  withPatches(patches: ByEncoder<WeightPatches>): TextEncoders;
}
