/** CLIP's text towers as records (ComfyUI comfy/sd1_clip.py, sdxl_clip.py and text_encoders/sd2_clip.py). */
import type { Activation } from '../../compute/graph.js';
import type { EmbeddingUse } from '../text/embeddings.js';
import type { TextEncoder } from '../text/text-encoding.js';
import type { WeightSource } from '../weights/weight-source.js';
import { encodeSections } from './encode-sections.js';
import { inHalfPrecision } from '../text/half-precision.js';
import { clipLoraNames, type ClipLoraPrefixes } from './lora-names.js';
import { emptySection, toSections } from './sections.js';
import { readTextModelSizes, type TextModelOutputs } from './text-graph.js';

/** A tower, whoever uses it. */
export interface ClipTower {
  readonly name: string;
  readonly activation: Activation;
  /** What fills a section after its end: CLIP-L repeats the end token, the OpenCLIP encoders take 0. */
  readonly padToken: number;
  /** The vectors of embeddings that are this one's; its tokenizer's width in ComfyUI, whatever the weights'. */
  readonly embedding: EmbeddingUse;
}

/** What a family takes of a tower. */
export interface ClipUse {
  /** The layer used when CLIPSetLastLayer names none. */
  readonly layer: number | 'last';
  readonly normalized: boolean;
  /**
   * `projected if there`: ComfyUI loads towers without a projection, too, where nothing uses the pooled output; `projected or plain`:
   * one that is missing projects onto itself.
   */
  readonly pooled: TextModelOutputs['pooled'] | 'projected if there' | 'projected or plain';
  readonly lora: ClipLoraPrefixes;
}

export const clipL: ClipTower = {
  name: 'l',
  activation: 'quick_gelu',
  padToken: 49407,
  embedding: { key: 'clip_l', width: 768 },
};
/** OpenCLIP bigG. */
export const clipG: ClipTower = {
  name: 'g',
  activation: 'gelu',
  padToken: 0,
  embedding: { key: 'clip_g', width: 1280 },
};
/** OpenCLIP-H. */
export const clipH: ClipTower = {
  name: 'h',
  activation: 'gelu',
  padToken: 0,
  embedding: { key: 'clip_h', width: 1024 },
};

/** A tower as a family uses it. */
export function clipEncoder(tower: ClipTower, use: ClipUse): TextEncoder {
  const { name, activation, padToken, embedding } = tower;
  return {
    name,
    tokenize: (text, options) => toSections(text, { padToken, embedding, ...options }),
    emptySection: () => emptySection(padToken),
    async encode(sections, { stopAtLayer, programs, warn, ...given }) {
      if (sections.length === 0) return undefined;
      const weights = inHalfPrecision(given.weights);
      const outputs = outputsOf(use, weights, stopAtLayer);
      const run = { name: `clip_${name}`, weights, activation, outputs, padToken, programs, warn };
      return encodeSections(run, sections);
    },
    loraNames: (weights) => clipLoraNames(name, use.lora, weights),
  };
}

/** ComfyUI SDClipModel.set_clip_options: an encoder of fewer layers than asked for gives its last one, normed. */
function outputsOf(
  { layer, normalized, pooled }: ClipUse,
  weights: WeightSource,
  stopAtLayer: number | undefined,
): TextModelOutputs {
  const wanted = stopAtLayer ?? layer;
  const { layers } = readTextModelSizes(weights);
  const index =
    wanted === 'last' || Math.abs(wanted) > layers ? 'last' : wanted < 0 ? layers + wanted : wanted;
  const projected = weights.has('text_projection.weight');
  switch (pooled) {
    case 'projected if there':
      return { layer: index, normalized, pooled: projected ? 'projected' : 'none' };
    case 'projected or plain':
      return { layer: index, normalized, pooled: projected ? 'projected' : 'plain' };
    default:
      return { layer: index, normalized, pooled };
  }
}
