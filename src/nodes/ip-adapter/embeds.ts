/** Encoded pictures of their own (github cubiq/ComfyUI_IPAdapter_plus). */
import { rgbOf } from '../../imaging/channels.js';
import { concatRows, mapValues, sameRows } from '../../imaging/tensor-ops.js';
import { combinedRows, EMBEDS_COMBINATIONS } from '../../models/ip-adapter/combine-embeds.js';
import { EMBEDS_SCALINGS } from '../../models/ip-adapter/adapter-pictures.js';
import { maskedEncoding } from '../../models/ip-adapter/masked-encoding.js';
import { WEIGHT_TYPES } from '../../models/ip-adapter/layer-weights.js';
import { nothing, shownPictures } from '../../models/ip-adapter/show-pictures.js';
import { combo, defineNode, float, link } from '../definition.js';

export const ipAdapterEncoder = defineNode({
  name: 'IPAdapterEncoder',
  displayName: 'IPAdapter Encoder',
  category: 'ipadapter/embeds',
  description: 'Encodes pictures for an IP-Adapter.',
  required: {
    ipadapter: link('IPADAPTER'),
    image: link('IMAGE'),
    weight: float({ default: 1, min: -1, max: 3, step: 0.01, tooltip: 'Scales the encoded pictures.' }),
  },
  optional: {
    mask: link('MASK', { tooltip: 'What of the pictures is seen.' }),
    clip_vision: link('CLIP_VISION', { tooltip: 'The image encoder; not with a unified loader.' }),
  },
  outputs: [
    { type: 'EMBEDS', name: 'pos_embed' },
    { type: 'EMBEDS', name: 'neg_embed' },
  ],
  async run({ ipadapter: { adapter, encoder: own }, image, weight, mask, clip_vision }) {
    const encoder = clip_vision ?? own;
    if (encoder === undefined) {
      throw new RangeError(
        'a CLIP vision model is missing: link one to clip_vision, or load the IP-Adapter with IPAdapterUnifiedLoader',
      );
    }
    const encoded = await maskedEncoding(encoder, rgbOf(image), mask);
    const isWhole = adapter.kind === 'plain';
    const positive = isWhole ? encoded.embeds : encoded.penultimate;
    const negative = await nothing(positive, isWhole, encoder);
    const factor = Math.fround(weight);
    return {
      outputs: [weight === 1 ? positive : mapValues(positive, (value) => value * factor), negative],
    };
  },
});

const embeds = link('EMBEDS');

export const ipAdapterCombineEmbeds = defineNode({
  name: 'IPAdapterCombineEmbeds',
  displayName: 'IPAdapter Combine Embeds',
  category: 'ipadapter/embeds',
  description: 'Makes one of several encoded pictures.',
  required: {
    embed1: embeds,
    method: combo([...EMBEDS_COMBINATIONS, 'max', 'min'], { tooltip: 'How they become one.' }),
  },
  optional: { embed2: embeds, embed3: embeds, embed4: embeds, embed5: embeds },
  outputs: [{ type: 'EMBEDS', name: 'EMBEDS' }],
  run({ embed1, method, embed2, embed3, embed4, embed5 }) {
    const all = [embed1, embed2, embed3, embed4, embed5].filter((each) => each !== undefined);
    for (const each of all) {
      if (sameRows(each, embed1)) continue;
      throw new RangeError(
        `encoded pictures of [${each.shape.join(', ')}] and [${embed1.shape.join(', ')}] can't be combined: encode them with the same image encoder`,
      );
    }
    return { outputs: [combinedRows(all.reduce(concatRows), method)] };
  },
});

const common = {
  model: link('MODEL'),
  ipadapter: link('IPADAPTER'),
  pos_embed: link('EMBEDS', { tooltip: 'Encoded pictures to go by.' }),
  weight: float({ default: 1, min: -1, max: 3, step: 0.05, tooltip: 'How strongly they count.' }),
  weight_type: combo(WEIGHT_TYPES, { tooltip: 'In which layers they count, and how.' }),
  start_at: float({
    default: 0,
    min: 0,
    max: 1,
    step: 0.001,
    tooltip: 'Share of sampling after which they count.',
  }),
  end_at: float({ default: 1, min: 0, max: 1, step: 0.001, tooltip: 'Share after which they no longer do.' }),
  embeds_scaling: combo(EMBEDS_SCALINGS, { tooltip: 'What the weight scales: values, or keys as well.' }),
};

const shownEmbeds = (name: string, displayName: string, description: string, onePerPicture: boolean) =>
  defineNode({
    name,
    displayName,
    category: 'ipadapter/embeds',
    description,
    required: common,
    optional: {
      neg_embed: link('EMBEDS', { tooltip: 'What the pictures are not; nothing when left out.' }),
      attn_mask: link('MASK', { tooltip: 'Where the pictures count.' }),
      clip_vision: link('CLIP_VISION', { tooltip: 'The image encoder; not with a unified loader.' }),
    },
    outputs: [{ type: 'MODEL', name: 'MODEL' }],
    async run(inputs) {
      const { model, ipadapter, pos_embed, neg_embed, weight, weight_type, attn_mask, clip_vision } = inputs;
      const shown = await shownPictures(model, {
        adapter: ipadapter.adapter,
        pictures: { own: pos_embed, other: neg_embed, encoder: clip_vision ?? ipadapter.encoder },
        weighting: { type: weight_type, weight, composition: 1 },
        combine: 'concat',
        scaling: inputs.embeds_scaling,
        mask: attn_mask,
        start: inputs.start_at,
        end: inputs.end_at,
        onePerPicture,
      });
      return { outputs: [shown] };
    },
  });

export const ipAdapterEmbeds = shownEmbeds(
  'IPAdapterEmbeds',
  'IPAdapter Embeds',
  'Shows a model encoded pictures beside its prompt.',
  false,
);

export const ipAdapterEmbedsBatch = shownEmbeds(
  'IPAdapterEmbedsBatch',
  'IPAdapter Embeds Batch',
  'Shows each picture of a latent batch an encoded picture of its own.',
  true,
);
