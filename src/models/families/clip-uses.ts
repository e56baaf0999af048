/** How Stable Diffusion's families use CLIP's towers. */
import { clipEncoder, clipG, clipH, clipL } from '../clip/clip-encoder.js';

const onlyEncoder = { kohya: ['lora_te', 'lora_te1'], diffusers: 'text_encoder' };

/** SD 1.x: the last layer, normed. */
export const sd1ClipL = clipEncoder(clipL, {
  layer: 'last',
  normalized: true,
  pooled: 'plain',
  lora: { ...onlyEncoder, projection: ['lora_te1_text_projection'] },
});

/** SD 2.x: the layer before the last, normed. */
export const sd2ClipH = clipEncoder(clipH, {
  layer: -2,
  normalized: true,
  pooled: 'projected if there',
  lora: { ...onlyEncoder, projection: [] },
});

const bigGUse = { layer: -2, normalized: false, pooled: 'projected' } as const;
const bigGProjection = ['lora_prior_te_text_projection', 'lora_te2_text_projection'];

/** SDXL: the layer before the last of both towers. */
export const sdxlClipL = clipEncoder(clipL, {
  layer: -2,
  normalized: false,
  pooled: 'none',
  lora: { ...onlyEncoder, projection: ['lora_te1_text_projection'] },
});

export const sdxlClipG = clipEncoder(clipG, {
  ...bigGUse,
  lora: { kohya: ['lora_te2'], diffusers: 'text_encoder_2', projection: bigGProjection },
});

/** SDXL's refiner has bigG alone. */
export const refinerClipG = clipEncoder(clipG, {
  ...bigGUse,
  lora: { kohya: ['lora_te', 'lora_prior_te'], diffusers: 'text_encoder', projection: bigGProjection },
});
