/** Pictures as parts of prompts (ComfyUI nodes.py, CLIPVisionEncode, unCLIPConditioning, StyleModelApply). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { mapValues } from '../../imaging/tensor-ops.js';
import { combo, defineNode, float, link } from '../definition.js';

export const clipVisionEncode = defineNode({
  name: 'CLIPVisionEncode',
  displayName: 'CLIP Vision Encode',
  category: 'model/conditioning',
  description: 'Encodes a picture for prompts.',
  required: {
    clip_vision: link('CLIP_VISION'),
    image: link('IMAGE'),
    crop: combo(['center', 'none'], {
      tooltip: 'center cuts a square out of the picture, none squeezes it into one.',
    }),
  },
  optional: {},
  outputs: [{ type: 'CLIP_VISION_OUTPUT', name: 'CLIP_VISION_OUTPUT' }],
  async run({ clip_vision, image, crop }) {
    return { outputs: [await clip_vision.encode(image, crop)] };
  },
});

export const unclipConditioning = defineNode({
  name: 'unCLIPConditioning',
  displayName: 'unCLIPConditioning',
  category: 'model/conditioning',
  description: 'Joins a prompt with an encoded picture, for unCLIP models and SDXL.',
  required: {
    conditioning: link('CONDITIONING'),
    clip_vision_output: link('CLIP_VISION_OUTPUT'),
    strength: float({
      default: 1,
      min: -10,
      max: 10,
      step: 0.01,
      tooltip: 'How strongly the picture counts.',
    }),
    noise_augmentation: float({
      default: 0,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'Noise that is added to the encoded picture: how freely it is taken.',
    }),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning, clip_vision_output, strength, noise_augmentation }) {
    if (strength === 0) return { outputs: [conditioning] };
    const picture = { embeds: clip_vision_output.embeds, strength, noise: noise_augmentation };
    const joined = conditioning.map((entry) => ({
      ...entry,
      pictures: [...(entry.pictures ?? []), picture],
    }));
    return { outputs: [joined] };
  },
});

export const styleModelApply = defineNode({
  name: 'StyleModelApply',
  displayName: 'Apply Style Model',
  category: 'model/conditioning',
  description: 'Adds an encoded picture to a prompt as further words.',
  required: {
    conditioning: link('CONDITIONING'),
    style_model: link('STYLE_MODEL'),
    clip_vision_output: link('CLIP_VISION_OUTPUT'),
    strength: float({
      default: 1,
      min: 0,
      max: 10,
      step: 0.001,
      tooltip: 'How strongly the picture counts.',
    }),
    strength_type: combo(['multiply', 'attn_bias'], {
      tooltip: 'Whether the words are scaled, or how much is attended to them.',
    }),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  async run({ conditioning, style_model, clip_vision_output, strength, strength_type }) {
    if (strength_type === 'attn_bias' && strength !== 1) {
      throw new RangeError(
        'strength_type attn_bias is supported at strength 1 alone: take multiply, which scales the words instead',
      );
    }
    const all = await style_model.words(clip_vision_output.lastHidden);
    const [rows = 1, words = 0, width = 0] = all.shape;
    const scale = Math.fround(strength);
    const style = mapValues(tensor([1, rows * words, width], all.data), (value) => value * scale);
    return { outputs: [conditioning.map((entry) => ({ ...entry, cond: withWords(entry.cond, style) }))] };
  },
});

function withWords(cond: Tensor, style: Tensor): Tensor {
  const [rows = 1, words = 0, width = 0] = cond.shape;
  const [, further = 0, styleWidth = 0] = style.shape;
  if (rows !== 1 || width !== styleWidth) {
    throw new RangeError(
      `a prompt of [${cond.shape.join(', ')}] can't take words of [${style.shape.join(', ')}]: the style model is made for another text encoder`,
    );
  }
  const joined = tensor([1, words + further, width]);
  joined.data.set(cond.data);
  joined.data.set(style.data, cond.data.length);
  return joined;
}
