/** How families use language models (ComfyUI comfy/text_encoders/z_image.py, flux.py, lumina2.py, qwen_image.py, anima.py). */
import { languageNetwork, type LanguageModelKind } from '../../text/language/language-network.js';
import { rowEncoder, type RowEncoder } from '../../text/row-encoder.js';
import type { TokenizeOptions } from '../../text/text-encoding.js';
import { gemmaVocabulary } from '../../text/vocabularies/gemma.js';
import { qwenVocabulary } from '../../text/vocabularies/qwen.js';
import { tekkenOf } from '../../text/vocabularies/vocabularies.js';
import { towerLoraNames } from './tower-lora-names.js';

export const qwenPictureKind: LanguageModelKind = {
  ...{ headDim: 128, theta: 1e6, epsilon: 1e-6, activation: 'silu' },
  pictureAxes: [16, 24, 24],
};
const qwenKind: LanguageModelKind = { headDim: 128, theta: 1e6, epsilon: 1e-6, activation: 'silu' };
const mistralKind: LanguageModelKind = {
  ...{ headDim: 128, theta: 1e9, epsilon: 1e-5, activation: 'silu' },
  prunedTo: 30,
};
const gemmaKind: LanguageModelKind = {
  ...{ headDim: 256, theta: 1e4, epsilon: 1e-6, activation: 'gelu_tanh' },
  gemma: true,
};

const llamaKind: LanguageModelKind = { headDim: 128, theta: 5e5, epsilon: 1e-5, activation: 'silu' };

/** `<|endoftext|>` */
const qwenPad = 151_643;

/** The text in a template's place for it, a node's or the family's own. */
function into(template: string) {
  return (text: string, options: Pick<TokenizeOptions, 'template'>): string =>
    (options.template ?? template).replace('{}', () => text);
}

const chat = '<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n';

export function languageUse(name: string, width: number): RowEncoder {
  return {
    name,
    network: languageNetwork(qwenKind),
    precision: {
      norms: ['model.norm.weight', 'model.layers.0.input_layernorm.weight'],
      keepsFloat32: true,
    },
    embedding: { key: name, width },
    vocabulary: () => qwenVocabulary(),
    weighted: false,
    layout: { pad: qwenPad, least: 1 },
    special: { pad: qwenPad },
    masked: true,
    givesMask: 'always',
    layers: 'last',
    normalized: false,
    loraNames: (weights) => towerLoraNames(name, weights, true),
  };
}

/** Z-Image: Qwen3's layer before the last. */
export const zImageQwen = rowEncoder({ ...languageUse('qwen3_4b', 2560), template: into(chat), layers: -2 });

/** Flux.2 Klein: what enters three layers of Qwen3, side by side, 512 tokens. */
export function kleinQwen(name: 'qwen3_4b' | 'qwen3_8b', width: number) {
  return rowEncoder({
    ...languageUse(name, width),
    template: into(`${chat}<think>\n\n</think>\n\n`),
    layout: { pad: qwenPad, least: 512 },
    layers: { inputs: [9, 18, 27] },
  });
}

/** Flux.2 dev: what enters three layers of Mistral 3, side by side. */
export const flux2Mistral = rowEncoder({
  ...languageUse('mistral3_24b', 5120),
  network: languageNetwork(mistralKind),
  vocabulary: ({ weights }) => tekkenOf(weights),
  template: into(
    '[SYSTEM_PROMPT]You are an AI that reasons about image descriptions. You give structured responses focusing on object relationships, object\nattribution and actions without speculation.[/SYSTEM_PROMPT][INST]{}[/INST]',
  ),
  layout: { start: 1, pad: 11, least: 1, padsLeft: true },
  special: { start: 1, pad: 0 },
  layers: { inputs: [10, 20, 30] },
});

/** `<|begin_of_text|>` and `<|eot_id|>` */
const [llamaStart, llamaPad] = [128_000, 128_009];

/** HiDream: what enters each of Llama 3.1's layers, and what leaves the last one, at least 128 tokens. */
export const hiDreamLlama = rowEncoder({
  ...languageUse('llama', 4096),
  network: languageNetwork(llamaKind),
  vocabulary: ({ vocabularies }) => vocabularies.llama(),
  weighted: true,
  layout: { start: llamaStart, pad: llamaPad, least: 128 },
  special: { start: llamaStart, pad: llamaPad },
  layers: 'all',
});

/** Lumina 2: Gemma 2's layer before the last. */
export const luminaGemma = rowEncoder({
  ...languageUse('gemma2_2b', 2304),
  network: languageNetwork(gemmaKind),
  vocabulary: ({ weights }) => gemmaVocabulary(weights),
  weighted: true,
  layout: { start: 2, pad: 0, least: 1 },
  special: { start: 2, pad: 0 },
  layers: -2,
});
