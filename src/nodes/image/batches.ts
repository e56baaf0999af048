/** Images, masks and latents of any number as one batch (ComfyUI comfy_extras/nodes_post_processing.py). */
import { withChannels } from '../../imaging/channels.js';
import { batchOf, concatRows, sameRows } from '../../imaging/tensor-ops.js';
import { upscaleImage, upscaleLatent } from '../../imaging/upscale.js';
import { tensor } from '../../compute/tensor.js';
import { autogrow, defineNode, link } from '../definition.js';
import type { Image, Latent, Mask } from '../values.js';

/** At the size of another, cut to its aspect ratio. */
function fitted(image: Image, to: Image): Image {
  if (sameRows(image, to)) return image;
  const [, height = 0, width = 0] = to.shape;
  return upscaleImage(image, 'bilinear', { width, height, crop: 'center' });
}

export const batchImages = defineNode({
  name: 'BatchImagesNode',
  displayName: 'Batch Images',
  category: 'image/batch',
  description: 'Joins images; all get the size of the first.',
  required: { images: autogrow(link('IMAGE'), { prefix: 'image', max: 50 }) },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ images }) {
    const all = Object.values(images);
    const channels = Math.max(...all.map(({ shape }) => shape[3]!));
    const [first, ...others] = all.map((image) => withChannels(image, channels));
    return { outputs: [others.reduce((batch, image) => concatRows(batch, fitted(image, first!)), first!)] };
  },
});

export const batchMasks = defineNode({
  name: 'BatchMasksNode',
  displayName: 'Batch Masks',
  category: 'image/mask',
  description: 'Joins masks; all get the size of the first.',
  required: { masks: autogrow(link('MASK'), { prefix: 'mask', max: 50 }) },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ masks }) {
    const asImage = (mask: Mask) => tensor([...mask.shape, 1], mask.data);
    const [first, ...others] = Object.values(masks).map(asImage);
    const batch = others.reduce((all, mask) => concatRows(all, fitted(mask, first!)), first!);
    return { outputs: [tensor(batch.shape.slice(0, 3), batch.data)] };
  },
});

export const batchLatents = defineNode({
  name: 'BatchLatentsNode',
  displayName: 'Batch Latents',
  category: 'model/latent/batch',
  description: 'Joins latents; all get the size of the first.',
  required: { latents: autogrow(link('LATENT'), { prefix: 'latent', max: 50 }) },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ latents }) {
    const all = Object.values(latents);
    const [, , height = 0, width = 0] = all[0]!.samples.shape;
    const fit = ({ samples }: Latent) =>
      sameRows(samples, all[0]!.samples)
        ? samples
        : upscaleLatent(samples, 'bilinear', { width, height, crop: 'center' });
    const index = ({ batchIndex, samples }: Latent) => batchIndex ?? [...Array(batchOf(samples)).keys()];
    return {
      outputs: [{ ...all[0]!, samples: all.map(fit).reduce(concatRows), batchIndex: all.flatMap(index) }],
    };
  },
});
