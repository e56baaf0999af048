/** How a family encodes prompts: a record of its text encoders, which one class brings to life (`createTextEncoders`). */
import type { Tensor } from '../../compute/tensor.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { EmbeddingFiles } from './embeddings.js';
import type { EncodedText } from './text-encoders.js';

/** A token of the vocabulary, or a textual inversion's vector in its place. */
export type Token = number | Float32Array;

export interface WeightedToken {
  readonly token: Token;
  readonly weight: number;
}

/** What an encoder sees at a time: for CLIP 77 tokens, start, up to 75 of the prompt, end, padding. */
export type Section = readonly WeightedToken[];

export interface TokenizeOptions {
  /** Where `embedding:NAME` is looked up. */
  readonly embeddings: EmbeddingFiles;
  /** Told of embeddings that are missing or can't be read; they are left out, as in ComfyUI. */
  readonly warn: (message: string) => void;
}

export interface EncodeOptions {
  readonly weights: WeightSource;
  /** CLIPSetLastLayer's; undefined leaves the family's. */
  readonly stopAtLayer: number | undefined;
  readonly programs: ProgramCache;
  /** Told of embeddings made for an encoder of another width; they are left out, as in ComfyUI. */
  readonly warn: (message: string) => void;
}

/** Hidden states of all sections, one after the other, and the pooled output of the first. */
export interface EncodedSections {
  /** 1×T×C. */
  readonly hidden: Tensor;
  /** 1×C. */
  readonly pooled?: Tensor;
}

/** A text encoder as its family uses it: tokenizer, padding, layers, and what LoRAs call its weights. */
export interface TextEncoder {
  /** `l`: as nodes' inputs (`text_l`) and LoRAs name it. */
  readonly name: string;
  /** Splits a prompt into one section or more. */
  tokenize(text: string, options: TokenizeOptions): readonly Section[];
  /** A section without words, for a prompt with fewer than another encoder's; left out where prompts are one section of any length. */
  readonly emptySection?: () => Section;
  encode(sections: readonly Section[], options: EncodeOptions): Promise<EncodedSections>;
  loraNames(weights: WeightSource): Iterable<readonly [name: string, key: string]>;
}

export interface TextEncoding {
  readonly encoders: readonly TextEncoder[];
  /** What each encoder made of the prompt, in their order, as one. */
  readonly join: (encoded: readonly EncodedSections[]) => EncodedText;
}
