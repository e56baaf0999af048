/** Showing a model pictures (github cubiq/ComfyUI_IPAdapter_plus). One function does it; the classes differ in what they ask for. */
import { rgbOf } from '../../imaging/channels.js';
import { EMBEDS_COMBINATIONS } from '../../models/ip-adapter/combine-embeds.js';
import { EMBEDS_SCALINGS } from '../../models/ip-adapter/adapter-pictures.js';
import { WEIGHT_TYPES, type LayerWeighting } from '../../models/ip-adapter/layer-weights.js';
import { shownPictures, type PictureDisplay } from '../../models/ip-adapter/show-pictures.js';
import { boolean, combo, defineNode, float, int, link, string } from '../definition.js';
import type { Image, ValueTypes } from '../values.js';

type Model = ValueTypes['MODEL'];
type Adapter = ValueTypes['IPADAPTER'];
type Encoder = ValueTypes['CLIP_VISION'];

const weight = (most: number, tooltip = 'How strongly the pictures count.') =>
  float({ default: 1, min: -1, max: most, step: 0.05, tooltip });
const share = (initial: number, tooltip: string) =>
  float({ default: initial, min: 0, max: 1, step: 0.001, tooltip });
const span = {
  start_at: share(0, 'Share of sampling after which the pictures begin to count.'),
  end_at: share(1, 'Share of sampling after which they no longer count.'),
};
const seen = {
  model: link('MODEL', { tooltip: 'The model that sees the pictures.' }),
  ipadapter: link('IPADAPTER', { tooltip: 'The IP-Adapter that it sees them through.' }),
};
const image = { image: link('IMAGE', { tooltip: 'Pictures to go by; their middle squares are seen.' }) };
const weightType = {
  weight_type: combo(WEIGHT_TYPES, { tooltip: 'In which layers the pictures count, and how.' }),
};
const combine = {
  combine_embeds: combo(EMBEDS_COMBINATIONS, { tooltip: 'How several pictures become one.' }),
};
const scaling = {
  embeds_scaling: combo(EMBEDS_SCALINGS, { tooltip: 'What the weight scales: values, or keys as well.' }),
};
const batchSize = {
  encode_batch_size: int({
    default: 0,
    min: 0,
    max: 4096,
    tooltip: 'Pictures at once; any number gives the same.',
  }),
};
const mask = { attn_mask: link('MASK', { tooltip: 'Where the pictures count.' }) };
const vision = {
  clip_vision: link('CLIP_VISION', { tooltip: 'The image encoder; not with a unified loader.' }),
};
const optional = {
  image_negative: link('IMAGE', { tooltip: 'What the pictures are not; nothing when left out.' }),
  ...mask,
  ...vision,
};
const outputs = [{ type: 'MODEL', name: 'MODEL' }] as const;

function encoderOf({ encoder }: Adapter, given: Encoder | undefined): Encoder {
  const found = given ?? encoder;
  if (found === undefined) {
    throw new RangeError(
      'a CLIP vision model is missing: link one to clip_vision, or load the IP-Adapter with IPAdapterUnifiedLoader',
    );
  }
  return found;
}

interface Shown {
  readonly model: Model;
  readonly ipadapter: Adapter;
  readonly image: Image;
  readonly composition?: Image | undefined;
  readonly image_negative?: Image | undefined;
  readonly attn_mask?: ValueTypes['MASK'] | undefined;
  readonly clip_vision?: Encoder | undefined;
  readonly start_at: number;
  readonly end_at: number;
  readonly combine_embeds?: PictureDisplay['combine'];
  readonly embeds_scaling?: PictureDisplay['scaling'];
  readonly weighting: LayerWeighting;
  readonly onePerPicture?: boolean;
  readonly detail?: { readonly tiles: number; readonly ratio: number };
}

function show(shown: Shown): Promise<Model> {
  const { model, ipadapter, composition, image_negative, attn_mask, detail } = shown;
  return shownPictures(model, {
    adapter: ipadapter.adapter,
    pictures: {
      encoder: encoderOf(ipadapter, shown.clip_vision),
      image: rgbOf(shown.image),
      composition: composition && rgbOf(composition),
      negative: image_negative && rgbOf(image_negative),
      ...(detail === undefined ? {} : { detail }),
    },
    weighting: shown.weighting,
    combine: shown.combine_embeds ?? 'concat',
    scaling: shown.embeds_scaling ?? 'V only',
    mask: attn_mask,
    start: shown.start_at,
    end: shown.end_at,
    onePerPicture: shown.onePerPicture ?? false,
  });
}

const weighted = (type: LayerWeighting['type'], value: number): LayerWeighting => ({
  type,
  weight: value,
  composition: 1,
});

export const ipAdapter = defineNode({
  name: 'IPAdapter',
  displayName: 'IPAdapter',
  category: 'ipadapter',
  description: 'Shows a model pictures beside its prompt.',
  required: {
    ...seen,
    ...image,
    weight: weight(3),
    ...span,
    weight_type: combo(['standard', 'prompt is more important', 'style transfer'], {
      tooltip: 'What the pictures count for.',
    }),
  },
  optional: mask,
  outputs,
  async run({ weight: value, weight_type, ...inputs }) {
    const types = {
      standard: 'linear',
      'prompt is more important': 'ease out',
      'style transfer': 'style transfer',
    } as const;
    return { outputs: [await show({ ...inputs, weighting: weighted(types[weight_type], value) })] };
  },
});

export const ipAdapterAdvanced = defineNode({
  name: 'IPAdapterAdvanced',
  displayName: 'IPAdapter Advanced',
  category: 'ipadapter',
  description: 'Shows a model pictures beside its prompt, with weights by layer.',
  required: { ...seen, ...image, weight: weight(5), ...weightType, ...combine, ...span, ...scaling },
  optional,
  outputs,
  async run({ weight: value, weight_type, ...inputs }) {
    return { outputs: [await show({ ...inputs, weighting: weighted(weight_type, value) })] };
  },
});

export const ipAdapterBatch = defineNode({
  name: 'IPAdapterBatch',
  displayName: 'IPAdapter Batch (Adv.)',
  category: 'ipadapter',
  description: 'Shows each picture of a latent batch one picture of its own.',
  required: { ...seen, ...image, weight: weight(5), ...weightType, ...span, ...scaling, ...batchSize },
  optional,
  outputs,
  async run({ weight: value, weight_type, ...inputs }) {
    const weighting = weighted(weight_type, value);
    return { outputs: [await show({ ...inputs, weighting, onePerPicture: true })] };
  },
});

const styleAndComposition = {
  ...seen,
  image_style: link('IMAGE', { tooltip: 'The picture whose style is taken.' }),
  image_composition: link('IMAGE', { tooltip: 'The picture whose composition is taken.' }),
  weight_style: weight(5, 'How strongly the style counts.'),
  weight_composition: weight(5, 'How strongly the composition counts.'),
  expand_style: boolean({ default: false, tooltip: 'The style counts in all other layers, too.' }),
};

interface StyleAndComposition extends Omit<Shown, 'image' | 'weighting'> {
  readonly image_style: Image;
  readonly image_composition: Image;
  readonly weight_style: number;
  readonly weight_composition: number;
  readonly expand_style: boolean;
}

function showStyle(inputs: StyleAndComposition): Promise<Model> {
  const { image_style, image_composition, weight_style, weight_composition, expand_style, ...rest } = inputs;
  return show({
    ...rest,
    image: image_style,
    composition: image_composition,
    weighting: {
      type: expand_style ? 'strong style and composition' : 'style and composition',
      weight: weight_style,
      composition: weight_composition,
    },
  });
}

export const ipAdapterStyleComposition = defineNode({
  name: 'IPAdapterStyleComposition',
  displayName: 'IPAdapter Style & Composition SDXL',
  category: 'ipadapter/style_composition',
  description: 'Takes the style of one picture and the composition of another.',
  required: {
    ...styleAndComposition,
    combine_embeds: combo(EMBEDS_COMBINATIONS, {
      default: 'average',
      tooltip: 'How several pictures become one.',
    }),
    ...span,
    ...scaling,
  },
  optional,
  outputs,
  run: async (inputs) => ({ outputs: [await showStyle(inputs)] }),
});

export const ipAdapterStyleCompositionBatch = defineNode({
  name: 'IPAdapterStyleCompositionBatch',
  displayName: 'IPAdapter Style & Composition Batch SDXL',
  category: 'ipadapter/style_composition',
  description: 'The same with pictures of its own for each picture of a latent batch.',
  required: { ...styleAndComposition, ...span, ...scaling },
  optional,
  outputs,
  run: async (inputs) => ({ outputs: [await showStyle({ ...inputs, onePerPicture: true })] }),
});

export const ipAdapterPreciseStyleTransfer = defineNode({
  name: 'IPAdapterPreciseStyleTransfer',
  displayName: 'IPAdapter Precise Style Transfer',
  category: 'ipadapter',
  description: 'Takes the style of pictures, and pushes away from their composition.',
  required: {
    ...seen,
    ...image,
    weight: weight(5),
    style_boost: float({
      default: 1,
      min: -5,
      max: 5,
      step: 0.05,
      tooltip: 'How far from their composition.',
    }),
    ...combine,
    ...span,
    ...scaling,
  },
  optional,
  outputs,
  async run({ weight: value, style_boost, ...inputs }) {
    const weighting = { ...weighted('style transfer precise', value), styleBoost: style_boost };
    return { outputs: [await show({ ...inputs, weighting })] };
  },
});

export const ipAdapterPreciseComposition = defineNode({
  name: 'IPAdapterPreciseComposition',
  displayName: 'IPAdapter Precise Composition',
  category: 'ipadapter',
  description: 'Takes the composition of pictures, and pushes away from their style.',
  required: {
    ...seen,
    ...image,
    weight: weight(5),
    composition_boost: float({
      default: 0,
      min: -5,
      max: 5,
      step: 0.05,
      tooltip: 'How far from their style.',
    }),
    ...combine,
    ...span,
    ...scaling,
  },
  optional,
  outputs,
  async run({ weight: value, composition_boost, ...inputs }) {
    const weighting = { ...weighted('composition precise', value), compositionBoost: composition_boost };
    return { outputs: [await show({ ...inputs, weighting })] };
  },
});

export const ipAdapterClipVisionEnhancer = defineNode({
  name: 'IPAdapterClipVisionEnhancer',
  displayName: 'IPAdapter ClipVision Enhancer',
  category: 'ipadapter/dev',
  description: 'Looks at pictures part by part as well.',
  required: {
    ...seen,
    ...image,
    weight: weight(5),
    ...weightType,
    ...combine,
    ...span,
    ...scaling,
    enhance_tiles: int({ default: 2, min: 1, max: 16, tooltip: 'Parts a side.' }),
    enhance_ratio: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.05,
      tooltip: 'Share of the whole beside them.',
    }),
  },
  optional,
  outputs,
  async run({ weight: value, weight_type, enhance_tiles, enhance_ratio, ...inputs }) {
    const detail = { tiles: enhance_tiles, ratio: enhance_ratio };
    return { outputs: [await show({ ...inputs, detail, weighting: weighted(weight_type, value) })] };
  },
});

export const ipAdapterMadScientist = defineNode({
  name: 'IPAdapterMS',
  displayName: 'IPAdapter Mad Scientist',
  category: 'ipadapter/dev',
  description: 'Shows a model pictures with a weight for each of its layers.',
  required: {
    ...seen,
    ...image,
    weight: weight(5),
    weight_faceidv2: weight(5, 'Of FaceID adapters alone.'),
    ...weightType,
    ...combine,
    ...span,
    ...scaling,
    layer_weights: string({
      multiline: true,
      tooltip: 'Factors by layer: 0:1, 3:0.5. Other layers see nothing.',
    }),
  },
  optional: { ...optional, insightface: link('INSIGHTFACE') },
  outputs,
  async run({ weight: value, weight_type, layer_weights, ...inputs }) {
    const layers = parseLayerWeights(layer_weights);
    const precise = weight_type === 'style transfer precise' || weight_type === 'composition precise';
    const weighting =
      layers === undefined
        ? weighted(weight_type, value)
        : { ...weighted(precise ? weight_type : 'linear', value), layers };
    return { outputs: [await show({ ...inputs, weighting })] };
  },
});

/** `0:1, 3:0.5` as factors by layer; undefined for nothing. */
function parseLayerWeights(text: string): Readonly<Record<number, number>> | undefined {
  if (text === '') return undefined;
  const factors = text.split(',').map((part) => {
    const match = /^\s*(\d+)\s*:\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\s*$/i.exec(part);
    if (match === null) {
      throw new RangeError(
        `layer_weights has "${part.slice(0, 40)}", where LAYER:FACTOR is needed, as in 0:1, 3:0.5`,
      );
    }
    return [Number(match[1]), Number(match[2])] as const;
  });
  return Object.fromEntries(factors);
}

export const ipAdapterFaceId = defineNode({
  name: 'IPAdapterFaceID',
  displayName: 'IPAdapter FaceID',
  category: 'ipadapter/faceid',
  description: 'Shows a model pictures; FaceID adapters themselves are not supported.',
  required: {
    ...seen,
    ...image,
    weight: weight(3),
    weight_faceidv2: weight(5, 'Of FaceID adapters alone.'),
    ...weightType,
    ...combine,
    ...span,
    ...scaling,
  },
  optional: { ...optional, insightface: link('INSIGHTFACE') },
  outputs: [
    { type: 'MODEL', name: 'MODEL' },
    { type: 'IMAGE', name: 'face_image' },
  ],
  async run({ weight: value, weight_type, ...inputs }) {
    const model = await show({ ...inputs, weighting: weighted(weight_type, value) });
    return { outputs: [model, inputs.image] };
  },
});
