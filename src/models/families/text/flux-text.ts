/** Flux.1: T5's states, and CLIP-L's end token (ComfyUI comfy/text_encoders/flux.py, FluxClipModel). */
import { clipEncoder, clipL } from '../../clip/clip-encoder.js';
import type { TextEncoding } from '../../text/text-encoding.js';
import { fluxT5 } from './t5-uses.js';

const fluxClipL = clipEncoder(clipL, {
  layer: 'last',
  normalized: true,
  pooled: 'plain',
  lora: {
    kohya: ['lora_te', 'lora_te1'],
    diffusers: 'text_encoder',
    projection: ['lora_te1_text_projection'],
  },
});

export const fluxText: TextEncoding = {
  encoders: [fluxClipL, fluxT5],
  join([clip, t5]) {
    const pooled = clip?.pooled;
    return { cond: t5!.hidden, ...(pooled === undefined ? {} : { pooled }) };
  },
};
