/** Empty latents of single families (ComfyUI comfy_extras/nodes_sd3.py, nodes_qwen.py and nodes_hunyuan.py). */
import { tensor } from '../../compute/tensor.js';
import { defineNode, int } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

const side = (initial: number, what: string, step = 16) =>
  int({ default: initial, min: 16, max: MAX_RESOLUTION, step, tooltip: `${what}, in pixels.` });
const batch = int({ default: 1, min: 1, max: 4096, tooltip: 'How many of them.' });
const latent = [{ type: 'LATENT', name: 'LATENT', tooltip: 'The empty latents.' }] as const;
const eighth = (pixels: number) => Math.floor(pixels / 8);

export const emptySd3LatentImage = defineNode({
  name: 'EmptySD3LatentImage',
  displayName: 'EmptySD3LatentImage',
  category: 'model/latent/stable diffusion',
  description: 'A batch of empty latents of 16 channels: for SD3, Flux, Z-Image and Qwen-Image.',
  required: {
    width: side(1024, 'Width of the pictures'),
    height: side(1024, 'Height of the pictures'),
    batch_size: batch,
  },
  optional: {},
  outputs: latent,
  run: ({ width, height, batch_size }) => ({
    outputs: [
      { samples: tensor([batch_size, 16, eighth(height), eighth(width)]), madeFor: { downscale: 8 } },
    ],
  }),
});

export const emptyQwenImageLayeredLatentImage = defineNode({
  name: 'EmptyQwenImageLayeredLatentImage',
  displayName: 'Empty Qwen Image Layered Latent',
  category: 'model/latent/qwen',
  description: 'Empty latents for Qwen-Image-Layered: a picture, and the layers that it is cut into.',
  required: {
    width: side(640, 'Width of the picture'),
    height: side(640, 'Height of the picture'),
    layers: int({ default: 3, min: 0, max: MAX_RESOLUTION, step: 1, tooltip: 'How many layers.' }),
    batch_size: batch,
  },
  optional: {},
  outputs: latent,
  run: ({ width, height, layers, batch_size }) => ({
    outputs: [{ samples: tensor([batch_size, 16, layers + 1, eighth(height), eighth(width)]) }],
  }),
});

export const emptyHunyuanLatentVideo = defineNode({
  name: 'EmptyHunyuanLatentVideo',
  displayName: 'Empty HunyuanVideo 1.0 Latent',
  category: 'model/latent/hunyuan video',
  description:
    'Empty latents of films, for Wan and HunyuanVideo; four frames beside the first are one of the latent.',
  required: {
    width: side(848, 'Width of the film'),
    height: side(480, 'Height of the film'),
    length: int({ default: 25, min: 1, max: MAX_RESOLUTION, step: 4, tooltip: 'Frames of the film.' }),
    batch_size: batch,
  },
  optional: {},
  outputs: latent,
  run({ width, height, length, batch_size }) {
    const frames = Math.floor((length - 1) / 4) + 1;
    const samples = tensor([batch_size, 16, frames, eighth(height), eighth(width)]);
    return { outputs: [{ samples, madeFor: { downscale: 8 } }] };
  },
});
