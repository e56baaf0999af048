/** How families use T5 and UMT5 (ComfyUI comfy/text_encoders/flux.py, sd3_clip.py, pixart_t5.py, wan.py, hidream.py). */
import { rowEncoder, type RowEncoder } from '../../text/row-encoder.js';
import { t5Network } from '../../text/t5/t5-network.js';
import { spieceVocabulary } from '../../text/vocabularies/vocabularies.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { towerLoraNames } from './tower-lora-names.js';

const norms = ['encoder.final_layer_norm.weight'];

const t5Use: RowEncoder = {
  name: 't5xxl',
  network: t5Network,
  precision: { norms, keepsFloat32: false },
  embedding: { key: 't5xxl', width: 4096 },
  vocabulary: ({ vocabularies }) => vocabularies.t5(),
  weighted: true,
  layout: { end: 1, pad: 0, least: 256 },
  lengthsApply: true,
  special: { end: 1, pad: 0 },
  masked: false,
  layers: 'last',
  normalized: true,
  loraNames: (weights) => loraNames(weights, 1),
};

/** As LoRAs of OneTrainer call T5's weights, beside the names that every encoder's have: `place` among the encoders, from 1. */
function* loraNames(weights: WeightSource, ...places: readonly number[]) {
  yield* towerLoraNames('t5xxl', weights);
  for (const place of places) {
    for (const key of weights.keys()) {
      const own = /^(.*)\.weight$/.exec(key)?.[1];
      if (own !== undefined) yield [`lora_te${place}_${own.replaceAll('.', '_')}`, key] as const;
    }
  }
}

/** Flux: at least 256 tokens. */
export const fluxT5 = rowEncoder({ ...t5Use, loraNames: (weights) => loraNames(weights, 2, 3) });

/** SD3: at least 77. */
export function sd3T5(place: number) {
  const layout = { ...t5Use.layout, least: 77 };
  return rowEncoder({ ...t5Use, layout, loraNames: (weights) => loraNames(weights, place) });
}

/** Chroma and PixArt: no padding, and weights are measured against padding alone. */
export const pixartT5 = rowEncoder({
  ...t5Use,
  precision: { norms, keepsFloat32: true },
  layout: { ...t5Use.layout, least: 1 },
  emptyIsPadding: true,
});

/** HiDream: 128 tokens, no more and no fewer, of which padding is hidden from the others. */
export const hiDreamT5 = rowEncoder({
  ...t5Use,
  layout: { ...t5Use.layout, least: 128, most: 128 },
  masked: true,
});

/** AuraFlow: UMT5's form with the Pile's vocabulary; at least 256 tokens, padding hidden and zero. Kept as CLIP is. */
export const pileT5 = rowEncoder({
  ...t5Use,
  name: 'pile_t5xl',
  precision: { norms: [], keepsFloat32: false },
  embedding: { key: 'pile_t5xl', width: 2048 },
  vocabulary: ({ vocabularies }) => vocabularies.pileT5(),
  layout: { end: 2, pad: 1, least: 256 },
  special: { end: 2, pad: 1 },
  masked: true,
  zeroes: true,
  loraNames: (weights) => towerLoraNames('pile_t5xl', weights),
});

/** Wan's UMT5: its own vocabulary, 512 tokens, padding hidden and zero. */
export const wanUmt5 = rowEncoder({
  ...t5Use,
  name: 'umt5xxl',
  precision: { norms, keepsFloat32: true },
  embedding: { key: 'umt5xxl', width: 4096 },
  vocabulary: ({ weights }) => spieceVocabulary(weights),
  layout: { end: 1, pad: 0, least: 512 },
  masked: true,
  zeroes: true,
  loraNames: (weights) => towerLoraNames('umt5xxl', weights),
});
