/** Flux.2's own latents (ComfyUI comfy_extras/nodes_flux.py). */
import { tensor } from '../../compute/tensor.js';
import { defineNode, int } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

const side = (what: string) =>
  int({
    default: 1024,
    min: 16,
    max: MAX_RESOLUTION,
    step: 16,
    tooltip: `${what} of the pictures, in pixels.`,
  });

export const emptyFlux2LatentImage = defineNode({
  name: 'EmptyFlux2LatentImage',
  displayName: 'Empty Flux 2 Latent',
  category: 'model/latent/flux',
  description: "A batch of empty latents of Flux.2's 128 channels.",
  required: {
    width: side('Width'),
    height: side('Height'),
    batch_size: int({ default: 1, min: 1, max: 4096, tooltip: 'How many pictures.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT', tooltip: 'The empty latents.' }],
  run: ({ width, height, batch_size: rows }) => ({
    outputs: [{ samples: tensor([rows, 128, Math.floor(height / 16), Math.floor(width / 16)]) }],
  }),
});
