/** How a family encodes prompts: a record of its text encoders, which one class brings to life (`createTextEncoders`). */
import type { Tensor } from '../../compute/tensor.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { EmbeddingFiles } from './embeddings.js';
import type { EncodedText } from './encoded-text.js';
import type { Vocabularies } from './vocabularies/vocabularies.js';

/** A picture in a prompt, which its encoder looks at: 1×H×W×3 in [0, 1]. */
export interface PromptPicture {
  readonly picture: Tensor;
}

/** A token of the vocabulary, or a textual inversion's vector or a picture in its place. */
export type Token = number | Float32Array | PromptPicture;

export interface WeightedToken {
  readonly token: Token;
  readonly weight: number;
  /** Which run of text it is of, from 1 on; undefined for starts, ends and padding, and where nobody asks. */
  readonly word?: number;
}

/** What an encoder sees at a time: for CLIP 77 tokens, start, up to 75 of the prompt, end, padding; for others the whole prompt. */
export type Section = readonly WeightedToken[];

/** How long a prompt becomes by padding (T5TokenizerOptions). */
export interface PromptLengths {
  /** Tokens of padding behind the end, whatever the length. */
  readonly padding: number;
  readonly least: number;
}

/** What weights become first, and what they then do: ComfyUI's way, from an empty prompt on, or A1111's, from zero on. */
export interface TextWeighing {
  /** `mean`: the mean of all words becomes 1; `length`: a weight is shared out over the tokens of its run. */
  readonly normalization: 'none' | 'mean' | 'length' | 'length+mean';
  readonly interpretation: 'comfy' | 'A1111';
}

/** What a node asks for beside the text. */
export interface PromptRequest {
  /** Shown to an encoder that looks at pictures, in the places that the template or the text has for them: 1×H×W×3 in [0, 1]. */
  readonly pictures?: readonly Tensor[];
  /** What the text is put into at `{}`, instead of the encoder's own. */
  readonly template?: string;
  /** How weights in the text are taken; ComfyUI's way when left out. */
  readonly weighing?: TextWeighing;
}

export interface TokenizeOptions extends PromptRequest {
  /** Some files carry their vocabulary. */
  readonly weights: WeightSource;
  readonly vocabularies: Vocabularies;
  /** Of T5 and its relatives, instead of the family's. */
  readonly lengths?: PromptLengths | undefined;
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
  /** 1×T×C; 1×layers×T×C where a family takes all. */
  readonly hidden: Tensor;
  /** 1×C. */
  readonly pooled?: Tensor;
  /** 1×T, 0 where there is padding that counts for nothing. */
  readonly mask?: Tensor;
  /** Tokens and their weights, for a denoiser that has an encoder of its own. */
  readonly tokens?: readonly WeightedToken[];
}

/** A text encoder as its family uses it: tokenizer, padding, layers, and what LoRAs call its weights. */
export interface TextEncoder {
  /** `l`: as nodes' inputs (`text_l`) and LoRAs name it. */
  readonly name: string;
  /** Splits a prompt into one section or more. */
  tokenize(text: string, options: TokenizeOptions): readonly Section[];
  /** A section without words, for a prompt with fewer than another encoder's; left out where prompts are one section of any length. */
  readonly emptySection?: () => Section;
  /** Undefined for no sections at all, where that counts as no text. */
  encode(sections: readonly Section[], options: EncodeOptions): Promise<EncodedSections | undefined>;
  loraNames(weights: WeightSource): Iterable<readonly [name: string, key: string]>;
}

export interface TextEncoding {
  readonly encoders: readonly TextEncoder[];
  /** Encoders that the family has and that weren't loaded: texts for them are left out. */
  readonly absent?: readonly string[];
  /** What each encoder made of the prompt, in their order, as one. */
  readonly join: (encoded: readonly (EncodedSections | undefined)[]) => EncodedText;
}
