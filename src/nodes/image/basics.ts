/** Making, joining, mirroring and cutting images (ComfyUI nodes.py, comfy_extras/nodes_images.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { crop, flipColumns, flipRows, IMAGE_ROWS, rotate } from '../../imaging/planes.js';
import {
  batchOf,
  concatRows,
  mapValues,
  repeatRows,
  rowAt,
  sameRows,
  takeRows,
} from '../../imaging/tensor-ops.js';
import { upscaleImage } from '../../imaging/upscale.js';
import { combo, defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

type Extents = readonly [batch: number, height: number, width: number, channels: number];

const side = (initial: number, min: number, tooltip: string) =>
  int({ default: initial, min, max: MAX_RESOLUTION, step: 1, tooltip });

export const emptyImage = defineNode({
  name: 'EmptyImage',
  displayName: 'Empty Image',
  category: 'image',
  description: 'Images of one colour.',
  required: {
    width: side(512, 1, 'Width in pixels.'),
    height: side(512, 1, 'Height in pixels.'),
    batch_size: int({ default: 1, min: 1, max: 4096, tooltip: 'How many images.' }),
    color: int({ default: 0, min: 0, max: 0xffffff, step: 1, tooltip: 'The colour, as 0xRRGGBB.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ width, height, batch_size, color }) {
    const image = tensor([batch_size, height, width, 3]);
    const rgb = [(color >> 16) & 0xff, (color >> 8) & 0xff, color & 0xff].map((value) => value / 0xff);
    for (let i = 0; i < image.data.length; i++) image.data[i] = rgb[i % 3]!;
    return { outputs: [image] };
  },
});

export const imageInvert = defineNode({
  name: 'ImageInvert',
  displayName: 'Invert Image Colors',
  category: 'image/color',
  description: 'The negative of images.',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image }) {
    return { outputs: [mapValues(image, (value) => 1 - value)] };
  },
});

/** An image with one channel more, opaque, where the other has more channels than it. */
function withAlphaOf(other: Tensor, image: Tensor): Tensor {
  const [batch, height, width, channels] = image.shape as Extents;
  if (other.shape[3]! <= channels) return image;
  const padded = tensor([batch, height, width, channels + 1]);
  padded.data.fill(1);
  for (let pixel = 0; pixel < batch * height * width; pixel++) {
    const values = image.data.subarray(pixel * channels, (pixel + 1) * channels);
    padded.data.set(values, pixel * (channels + 1));
  }
  return padded;
}

export const imageBatch = defineNode({
  name: 'ImageBatch',
  displayName: 'Batch Images (DEPRECATED)',
  category: 'image/batch',
  description:
    'Joins two batches of images; the second is resized and cropped to the first where they differ.',
  required: { image1: link('IMAGE'), image2: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image1, image2 }) {
    const [, height, width] = image1.shape as Extents;
    const [first, other] = [withAlphaOf(image2, image1), withAlphaOf(image1, image2)];
    const second = sameRows(first, other)
      ? other
      : upscaleImage(other, 'bilinear', { width, height, crop: 'center' });
    return { outputs: [concatRows(first, second)] };
  },
});

export const repeatImageBatch = defineNode({
  name: 'RepeatImageBatch',
  displayName: 'Repeat Image Batch',
  category: 'image/batch',
  description: 'Repeats a whole batch of images.',
  required: {
    image: link('IMAGE'),
    amount: int({ default: 1, min: 1, max: 4096, tooltip: 'How many times the batch is there afterwards.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, amount }) {
    return { outputs: [repeatRows(image, amount)] };
  },
});

export const imageFromBatch = defineNode({
  name: 'ImageFromBatch',
  displayName: 'Get Image from Batch',
  category: 'image/batch',
  description: 'Takes images out of a batch.',
  required: {
    image: link('IMAGE'),
    batch_index: int({
      default: 0,
      min: -MAX_RESOLUTION,
      max: MAX_RESOLUTION,
      tooltip: 'The first one to take, counted from 0, or from the end below 0.',
    }),
    length: int({ default: 1, min: 1, max: 4096, tooltip: 'How many to take.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, batch_index, length }) {
    const start = rowAt(batchOf(image), batch_index);
    return { outputs: [takeRows(image, start, Math.min(batchOf(image) - start, length))] };
  },
});

export const imageCrop = defineNode({
  name: 'ImageCrop',
  displayName: 'Crop Image (DEPRECATED)',
  category: 'image/transform',
  description: 'Cuts a rectangle out of images.',
  required: {
    image: link('IMAGE'),
    width: side(512, 1, 'Width in pixels.'),
    height: side(512, 1, 'Height in pixels.'),
    x: side(0, 0, 'Left edge in pixels.'),
    y: side(0, 0, 'Upper edge in pixels.'),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, width, height, x, y }) {
    const [, ownHeight, ownWidth] = image.shape as Extents;
    const rectangle = { y: Math.min(y, ownHeight - 1), x: Math.min(x, ownWidth - 1), height, width };
    return { outputs: [crop(image, IMAGE_ROWS, rectangle)] };
  },
});

export const imageFlip = defineNode({
  name: 'ImageFlip',
  displayName: 'Flip Image',
  category: 'image/transform',
  description: 'Mirrors images upside down or left to right.',
  required: {
    image: link('IMAGE'),
    flip_method: combo(['x-axis: vertically', 'y-axis: horizontally']),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, flip_method }) {
    const flip = flip_method === 'x-axis: vertically' ? flipRows : flipColumns;
    return { outputs: [flip(image, IMAGE_ROWS)] };
  },
});

const ROTATIONS = ['none', '90 degrees', '180 degrees', '270 degrees'] as const;

export const imageRotate = defineNode({
  name: 'ImageRotate',
  displayName: 'Rotate Image',
  category: 'image/transform',
  description: 'Turns images clockwise.',
  required: { image: link('IMAGE'), rotation: combo(ROTATIONS) },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, rotation }) {
    return { outputs: [rotate(image, IMAGE_ROWS, ROTATIONS.indexOf(rotation) as 0 | 1 | 2 | 3)] };
  },
});

export const getImageSize = defineNode({
  name: 'GetImageSize',
  displayName: 'Get Image Size',
  category: 'image',
  description: 'Width, height and number of images.',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
    { type: 'INT', name: 'batch_size' },
  ],
  run({ image }) {
    const [batch, height, width] = image.shape as Extents;
    return { outputs: [width, height, batch] };
  },
});

const padding = (tooltip: string) => int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 8, tooltip });

export const imagePadForOutpaint = defineNode({
  name: 'ImagePadForOutpaint',
  displayName: 'Pad Image for Outpainting',
  category: 'image/transform',
  description: 'Puts a grey margin around images, and a mask that is white there and fades into the image.',
  required: {
    image: link('IMAGE'),
    left: padding('Pixels added at the left.'),
    top: padding('Pixels added above.'),
    right: padding('Pixels added at the right.'),
    bottom: padding('Pixels added below.'),
    feathering: side(40, 0, 'How far the mask fades into the image, in pixels.'),
  },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ],
  run({ image, feathering, ...margins }) {
    const { left, top, right, bottom } = margins;
    const [batch, height, width, channels] = image.shape as Extents;
    const padded = {
      height: height + top + bottom,
      width: width + left + right,
    };
    const picture = tensor([batch, padded.height, padded.width, channels]);
    picture.data.fill(0.5);
    const mask = tensor([1, padded.height, padded.width]);
    mask.data.fill(1);
    const fade = outpaintFade(height, width, feathering, margins);
    for (let y = 0; y < height; y++) {
      mask.data.set(fade.subarray(y * width, (y + 1) * width), (top + y) * padded.width + left);
      for (let row = 0; row < batch; row++) {
        const from = (row * height + y) * width * channels;
        const into = ((row * padded.height + top + y) * padded.width + left) * channels;
        picture.data.set(image.data.subarray(from, from + width * channels), into);
      }
    }
    return { outputs: [picture, mask] satisfies [Tensor, Tensor] };
  },
});

interface Margins {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** height × width weights: 1 at a side that has a margin, falling with the square of the distance to 0. */
function outpaintFade(height: number, width: number, feathering: number, margins: Margins): Float32Array {
  const fade = new Float32Array(height * width);
  if (feathering <= 0 || feathering * 2 >= height || feathering * 2 >= width) return fade;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const distance = Math.min(
        margins.top !== 0 ? y : height,
        margins.bottom !== 0 ? height - y : height,
        margins.left !== 0 ? x : width,
        margins.right !== 0 ? width - x : width,
      );
      if (distance < feathering) fade[y * width + x] = ((feathering - distance) / feathering) ** 2;
    }
  }
  return fade;
}
