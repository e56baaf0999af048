/** Prompts to conditionings. */
import { defineNode, float, int, link, string } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';
import { encoded } from './encoded.js';

const side = (initial: number, tooltip: string) =>
  int({ default: initial, min: 0, max: MAX_RESOLUTION, tooltip });

export const clipTextEncode = defineNode({
  name: 'CLIPTextEncode',
  displayName: 'CLIP Text Encode (Prompt)',
  category: 'model/conditioning',
  description: 'Encodes a prompt into the conditioning that guides the diffusion model.',
  required: {
    text: string({
      multiline: true,
      dynamicPrompts: true,
      tooltip: 'The prompt; (words:1.2) weighs, embedding:NAME inserts a textual inversion.',
    }),
    clip: link('CLIP', { tooltip: 'The text encoders to use.' }),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING', tooltip: 'The encoded prompt.' }],
  async run({ text, clip }) {
    return { outputs: [encoded(await clip.encode(text))] };
  },
});

export const clipTextEncodeSdxl = defineNode({
  name: 'CLIPTextEncodeSDXL',
  displayName: 'CLIP Text Encode (SDXL)',
  category: 'model/conditioning/stable diffusion',
  description:
    "Encodes a prompt for each of SDXL's text encoders, with the sizes that SDXL was trained to see.",
  required: {
    clip: link('CLIP'),
    width: side(1024, 'Width of the imagined original picture, in pixels.'),
    height: side(1024, 'Height of the imagined original picture, in pixels.'),
    crop_w: side(0, 'Pixels cut off its left side.'),
    crop_h: side(0, 'Pixels cut off its top.'),
    target_width: side(1024, 'Width that it was resized to, in pixels.'),
    target_height: side(1024, 'Height that it was resized to, in pixels.'),
    text_g: string({ multiline: true, dynamicPrompts: true, tooltip: 'The prompt for OpenCLIP bigG.' }),
    text_l: string({ multiline: true, dynamicPrompts: true, tooltip: 'The prompt for CLIP-L.' }),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  async run({ clip, width, height, crop_w, crop_h, target_width, target_height, text_g, text_l }) {
    const sizes = {
      width,
      height,
      cropWidth: crop_w,
      cropHeight: crop_h,
      targetWidth: target_width,
      targetHeight: target_height,
    };
    return { outputs: [encoded(await clip.encodeParts({ g: text_g, l: text_l }), sizes)] };
  },
});

export const clipTextEncodeSdxlRefiner = defineNode({
  name: 'CLIPTextEncodeSDXLRefiner',
  displayName: 'CLIP Text Encode (SDXL Refiner)',
  category: 'model/conditioning/stable diffusion',
  description: "Encodes a prompt for SDXL's refiner, with the picture's size and how beautiful it should be.",
  required: {
    ascore: float({ default: 6, min: 0, max: 1000, step: 0.01, tooltip: 'Aesthetic score, about 2 to 7.' }),
    width: side(1024, 'Width of the picture, in pixels.'),
    height: side(1024, 'Height of the picture, in pixels.'),
    text: string({ multiline: true, dynamicPrompts: true, tooltip: 'The prompt.' }),
    clip: link('CLIP'),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  async run({ ascore, width, height, text, clip }) {
    return { outputs: [encoded(await clip.encode(text), { aestheticScore: ascore, width, height })] };
  },
});

export const clipSetLastLayer = defineNode({
  name: 'CLIPSetLastLayer',
  displayName: 'CLIP Set Last Layer',
  category: 'model/conditioning',
  description: 'Takes the text encoders’ hidden states from an earlier layer ("clip skip").',
  required: {
    clip: link('CLIP'),
    stop_at_clip_layer: int({
      default: -1,
      min: -24,
      max: -1,
      step: 1,
      tooltip: '-1 is the last layer, -2 the one before it.',
    }),
  },
  optional: {},
  outputs: [{ type: 'CLIP', name: 'CLIP' }],
  run({ clip, stop_at_clip_layer }) {
    return { outputs: [clip.withLayer(stop_at_clip_layer)] };
  },
});
