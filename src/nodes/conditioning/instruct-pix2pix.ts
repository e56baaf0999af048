/** Pictures that a model edits as a prompt says (ComfyUI comfy_extras/nodes_ip2p.py). */
import { tensor } from '../../compute/tensor.js';
import { rgbOf } from '../../imaging/channels.js';
import { crop, IMAGE_ROWS } from '../../imaging/planes.js';
import { defineNode, link } from '../definition.js';
import type { Conditioning } from '../values.js';

/** Pixels a side that a latent's come from. */
const downscale = 8;

export const instructPixToPixConditioning = defineNode({
  name: 'InstructPixToPixConditioning',
  displayName: 'InstructPixToPixConditioning',
  category: 'model/conditioning/instructpix2pix',
  description: 'Shows an InstructPix2Pix model the picture that it edits.',
  required: {
    positive: link('CONDITIONING'),
    negative: link('CONDITIONING'),
    vae: link('VAE'),
    pixels: link('IMAGE'),
  },
  optional: {},
  outputs: [
    { type: 'CONDITIONING', name: 'positive' },
    { type: 'CONDITIONING', name: 'negative' },
    { type: 'LATENT', name: 'latent' },
  ],
  async run({ positive, negative, vae, pixels }) {
    const image = rgbOf(pixels);
    const [, height = 0, width = 0] = image.shape;
    const inside = {
      y: Math.floor((height % downscale) / 2),
      x: Math.floor((width % downscale) / 2),
      height: height - (height % downscale),
      width: width - (width % downscale),
    };
    const concatLatentImage = await vae.encode(crop(image, IMAGE_ROWS, inside));
    const shown = (conditioning: Conditioning) =>
      conditioning.map((entry) => ({ ...entry, concatLatentImage }));
    const samples = tensor(concatLatentImage.shape);
    return { outputs: [shown(positive), shown(negative), { samples }] };
  },
});
