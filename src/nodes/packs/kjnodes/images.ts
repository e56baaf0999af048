/** Images handed on and put into batches (ComfyUI-KJNodes nodes/image_nodes.py). */
import {
  concatRows,
  defineControlNode,
  defineNode,
  link,
  tensor,
  upscaleImage,
  withChannels,
} from '../../public.js';
import { inputCount, numbered } from './numbered.js';

const category = 'KJNodes/image';
type Extents = readonly [batch: number, height: number, width: number, channels: number];

export const getImageSizeAndCount = defineNode({
  name: 'GetImageSizeAndCount',
  displayName: 'Get Image Size & Count',
  category,
  description: 'Width, height and number of images, and the images.',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'image' },
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
    { type: 'INT', name: 'count' },
  ],
  run({ image }) {
    const [count, height, width] = image.shape as Extents;
    return { outputs: [image, width, height, count], ui: { text: [`${count}x${width}x${height}`] } };
  },
});

export const imagePass = defineControlNode({
  name: 'ImagePass',
  displayName: 'ImagePass',
  category,
  description: 'Images, as they came.',
  required: {},
  optional: { image: link('IMAGE') },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run: ({ image }) => ({ outputs: [image ?? null] }),
});

export const imageBatchMulti = defineNode({
  name: 'ImageBatchMulti',
  displayName: 'Image Batch Multi',
  category,
  description: 'Joins batches of images; all get the size of the first.',
  required: { inputcount: inputCount, image_1: link('IMAGE') },
  optional: { image_2: link('IMAGE') },
  outputs: [{ type: 'IMAGE', name: 'images' }],
  takesMore: true,
  run(given) {
    const [count, height, width] = given.image_1.shape as Extents;
    const images = numbered(given, given.inputcount, tensor([count, height, width, 0]));
    const channels = Math.max(...images.map(({ shape }) => shape[3]!));
    const parts = images.map((image) => {
      if (image.shape[3] === 0) return tensor([count, height, width, channels]);
      const sized =
        image.shape[1] === height && image.shape[2] === width
          ? image
          : upscaleImage(image, 'bilinear', { width, height, crop: 'center' });
      return withChannels(sized, channels);
    });
    return { outputs: [parts.reduce(concatRows)] };
  },
});
