/** Images and their transparency (ComfyUI comfy_extras/nodes_compositing.py). */
import { tensor } from '../../compute/tensor.js';
import { rgbOf } from '../../imaging/channels.js';
import { batchOf } from '../../imaging/tensor-ops.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import { defineNode, link } from '../definition.js';

export const splitImageWithAlpha = defineNode({
  name: 'SplitImageWithAlpha',
  displayName: 'Split Image with Alpha',
  category: 'image/compositing',
  description: 'Images without their transparency, and a mask that is white where they are transparent.',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ],
  run({ image }) {
    const [batch = 0, height = 0, width = 0, channels = 0] = image.shape;
    const mask = tensor([batch, height, width]);
    if (channels > 3) {
      mask.data.forEach((_, at) => {
        mask.data[at] = 1 - image.data[at * channels + 3]!;
      });
    }
    return { outputs: [rgbOf(image), mask] };
  },
});

export const joinImageWithAlpha = defineNode({
  name: 'JoinImageWithAlpha',
  displayName: 'Join Image with Alpha',
  category: 'image/compositing',
  description: 'Makes images transparent where a mask is white; the mask is resized to them.',
  required: { image: link('IMAGE'), alpha: link('MASK') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, alpha }) {
    const [, height = 0, width = 0] = image.shape;
    const single = tensor([batchOf(alpha), 1, ...alpha.shape.slice(-2)], alpha.data);
    const mask = upscaleLatent(single, 'bilinear', { height, width }).data;
    const rgb = rgbOf(image).data;
    // The shorter batch begins again.
    const result = tensor([Math.max(batchOf(image), batchOf(alpha)), height, width, 4]);
    result.data.forEach((_, at) => {
      const [pixel, channel] = [at >> 2, at & 3];
      result.data[at] =
        channel === 3 ? 1 - mask[pixel % mask.length]! : rgb[(3 * pixel + channel) % rgb.length]!;
    });
    return { outputs: [result] };
  },
});
