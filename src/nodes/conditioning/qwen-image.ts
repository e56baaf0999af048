/** Prompts with the pictures that they are about (ComfyUI comfy_extras/nodes_qwen.py). */
import { rgbOf } from '../../imaging/channels.js';
import { upscaleImage } from '../../imaging/upscale.js';
import { qwenEditTemplate } from '../../models/families/text/qwen-image-uses.js';
import { defineNode, link, string } from '../definition.js';
import type { Image } from '../values.js';
import { encoded } from './encoded.js';

const conditioning = [{ type: 'CONDITIONING', name: 'CONDITIONING' }] as const;
const prompt = string({ multiline: true, tooltip: 'What to do with the picture.' });

/** Halves go to the even neighbour. */
function pythonRound(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** A picture of about `side`² pixels, sides multiples of `multiple`. */
function ofArea(image: Image, side: number, multiple: number): Image {
  const [, height = 0, width = 0] = image.shape;
  const scale = Math.sqrt((side * side) / (width * height));
  const sized = (pixels: number) => pythonRound((pixels * scale) / multiple) * multiple;
  return upscaleImage(image, 'area', { width: sized(width), height: sized(height), crop: 'disabled' });
}

export const textEncodeQwenImageEdit = defineNode({
  name: 'TextEncodeQwenImageEdit',
  displayName: 'TextEncodeQwenImageEdit',
  category: 'model/conditioning/qwen image',
  description: 'Encodes a prompt and the picture that it changes, for Qwen-Image-Edit.',
  required: { clip: link('CLIP'), prompt },
  optional: {
    vae: link('VAE', { tooltip: 'With it, the picture is a reference for the model, too.' }),
    image: link('IMAGE', { tooltip: 'The picture to change.' }),
  },
  outputs: conditioning,
  async run({ clip, prompt: text, vae, image }) {
    const picture = image === undefined ? undefined : rgbOf(ofArea(image, 1024, 1));
    const pictures = picture === undefined ? [] : [picture];
    const references = picture === undefined || vae === undefined ? [] : [await vae.encode(picture)];
    const extras = references.length === 0 ? {} : { referenceLatents: references };
    return { outputs: [encoded(await clip.encode(text, { pictures }), extras)] };
  },
});

export const textEncodeQwenImageEditPlus = defineNode({
  name: 'TextEncodeQwenImageEditPlus',
  displayName: 'TextEncodeQwenImageEditPlus',
  category: 'model/conditioning/qwen image',
  description:
    'Encodes a prompt and up to three pictures that it is about, for Qwen-Image-Edit 2509 and later.',
  required: { clip: link('CLIP'), prompt },
  optional: {
    vae: link('VAE', { tooltip: 'With it, the pictures are references for the model, too.' }),
    image1: link('IMAGE', { tooltip: 'The first picture.' }),
    image2: link('IMAGE', { tooltip: 'The second picture.' }),
    image3: link('IMAGE', { tooltip: 'The third picture.' }),
  },
  outputs: conditioning,
  async run({ clip, prompt: text, vae, image1, image2, image3 }) {
    const pictures: Image[] = [];
    const references: Image[] = [];
    let shown = '';
    for (const [index, image] of [image1, image2, image3].entries()) {
      if (image === undefined) continue;
      const seen = ofArea(image, 384, 1);
      pictures.push(seen);
      if (vae !== undefined) references.push(await vae.encode(rgbOf(ofArea(image, 1024, 8))));
      shown += `Picture ${index + 1}: <|vision_start|><|image_pad|><|vision_end|>`;
    }
    const request = { pictures, template: qwenEditTemplate };
    const extras = references.length === 0 ? {} : { referenceLatents: references };
    return { outputs: [encoded(await clip.encode(shown + text, request), extras)] };
  },
});
