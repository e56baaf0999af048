/** Prompts of single families (ComfyUI comfy_extras/nodes_sd3.py, nodes_flux.py, nodes_lumina2.py, nodes_hidream.py, nodes_cond.py). */
import { combo, defineNode, float, int, link, string } from '../definition.js';
import { encoded } from './encoded.js';

const prompt = (encoder: string) => string({ multiline: true, tooltip: `The prompt for ${encoder}.` });
const conditioning = [{ type: 'CONDITIONING', name: 'CONDITIONING' }] as const;

export const clipTextEncodeSd3 = defineNode({
  name: 'CLIPTextEncodeSD3',
  displayName: 'CLIP Text Encode (SD3)',
  category: 'model/conditioning/stable diffusion',
  description: "Encodes a prompt for each of SD3's text encoders.",
  required: {
    clip: link('CLIP'),
    clip_l: prompt('CLIP-L'),
    clip_g: prompt('OpenCLIP bigG'),
    t5xxl: prompt('T5'),
    empty_padding: combo(['none', 'empty_prompt'], {
      tooltip: 'What an empty prompt is: nothing at all, or the encoding of no words.',
    }),
  },
  optional: {},
  outputs: conditioning,
  async run({ clip, clip_l, clip_g, t5xxl, empty_padding }) {
    const leaveEmpty = empty_padding === 'none';
    return { outputs: [encoded(await clip.encodeParts({ l: clip_l, g: clip_g, t5xxl }, { leaveEmpty }))] };
  },
});

export const clipTextEncodeFlux = defineNode({
  name: 'CLIPTextEncodeFlux',
  displayName: 'CLIPTextEncodeFlux',
  category: 'model/conditioning/flux',
  description:
    "Encodes a prompt for each of Flux's text encoders, with the strength of its distilled guidance.",
  required: {
    clip: link('CLIP'),
    clip_l: prompt('CLIP-L'),
    t5xxl: prompt('T5'),
    guidance: float({
      default: 3.5,
      min: 0,
      max: 100,
      step: 0.1,
      tooltip: 'How closely the prompt is followed.',
    }),
  },
  optional: {},
  outputs: conditioning,
  async run({ clip, clip_l, t5xxl, guidance }) {
    return { outputs: [encoded(await clip.encodeParts({ l: clip_l, t5xxl }), { guidance })] };
  },
});

export const clipTextEncodeHiDream = defineNode({
  name: 'CLIPTextEncodeHiDream',
  displayName: 'CLIP Text Encode (HiDream)',
  category: 'model/conditioning/hidream',
  description: "Encodes a prompt for each of HiDream's text encoders.",
  required: {
    clip: link('CLIP'),
    clip_l: prompt('CLIP-L'),
    clip_g: prompt('OpenCLIP bigG'),
    t5xxl: prompt('T5'),
    llama: prompt('Llama 3'),
  },
  optional: {},
  outputs: conditioning,
  async run({ clip, clip_l, clip_g, t5xxl, llama }) {
    return { outputs: [encoded(await clip.encodeParts({ l: clip_l, g: clip_g, t5xxl, llama }))] };
  },
});

/** What Lumina 2 was trained to be told before a prompt. */
const luminaSystemPrompts = {
  superior:
    'You are an assistant designed to generate superior images with the superior degree of image-text alignment based on textual prompts or user prompts.',
  alignment:
    'You are an assistant designed to generate high-quality images with the highest degree of image-text alignment based on textual prompts.',
} as const;

export const clipTextEncodeLumina2 = defineNode({
  name: 'CLIPTextEncodeLumina2',
  displayName: 'CLIP Text Encode (Lumina 2)',
  category: 'model/conditioning/lumina',
  description: 'Encodes a prompt behind one of the system prompts that Lumina 2 was trained with.',
  required: {
    system_prompt: combo(Object.keys(luminaSystemPrompts), {
      tooltip: 'What comes first: superior pictures, or pictures that keep to the prompt.',
    }),
    user_prompt: string({ multiline: true, tooltip: 'The prompt.' }),
    clip: link('CLIP', { tooltip: 'The text encoder to use.' }),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING', tooltip: 'The encoded prompt.' }],
  async run({ system_prompt, user_prompt, clip }) {
    const system = luminaSystemPrompts[system_prompt as keyof typeof luminaSystemPrompts];
    return { outputs: [encoded(await clip.encode(`${system} <Prompt Start> ${user_prompt}`))] };
  },
});

export const t5TokenizerOptions = defineNode({
  name: 'T5TokenizerOptions',
  displayName: 'T5 Tokenizer Options',
  category: 'model/conditioning',
  description: 'Sets how far prompts for T5 are padded.',
  required: {
    clip: link('CLIP'),
    min_padding: int({ default: 0, min: 0, max: 10000, step: 1, tooltip: 'Tokens of padding, in any case.' }),
    min_length: int({
      default: 0,
      min: 0,
      max: 10000,
      step: 1,
      tooltip: 'Tokens that a prompt has at least.',
    }),
  },
  optional: {},
  outputs: [{ type: 'CLIP', name: 'CLIP' }],
  run({ clip, min_padding, min_length }) {
    return { outputs: [clip.withLengths({ padding: min_padding, least: min_length })] };
  },
});
