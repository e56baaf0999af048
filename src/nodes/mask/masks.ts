/** Making masks and turning them into images and back (ComfyUI comfy_extras/nodes_mask.py). */
import { tensor } from '../../compute/tensor.js';
import { greyImage } from '../../imaging/channels.js';
import { crop, IMAGE_ROWS } from '../../imaging/planes.js';
import { mapValues } from '../../imaging/tensor-ops.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { combo, defineNode, float, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

const side = (initial: number, min: number, tooltip: string) =>
  int({ default: initial, min, max: MAX_RESOLUTION, step: 1, tooltip });

export const solidMask = defineNode({
  name: 'SolidMask',
  displayName: 'Create Solid Mask',
  category: 'image/mask',
  description: 'A mask of one value.',
  required: {
    value: float({ default: 1, min: 0, max: 1, step: 0.01, tooltip: '0 is black, 1 white.' }),
    width: side(512, 1, 'Width in pixels.'),
    height: side(512, 1, 'Height in pixels.'),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ value, width, height }) {
    const mask = tensor([1, height, width]);
    mask.data.fill(value);
    return { outputs: [mask] };
  },
});

export const invertMask = defineNode({
  name: 'InvertMask',
  displayName: 'Invert Mask',
  category: 'image/mask',
  description: 'Swaps black and white.',
  required: { mask: link('MASK') },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ mask }) {
    return { outputs: [mapValues(mask, (value) => 1 - value)] };
  },
});

export const thresholdMask = defineNode({
  name: 'ThresholdMask',
  displayName: 'Threshold Mask',
  category: 'image/mask',
  description: 'White where a mask is above a value, black elsewhere.',
  required: {
    mask: link('MASK'),
    value: float({
      default: 0.5,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'What is not above it becomes black.',
    }),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ mask, value }) {
    const threshold = Math.fround(value);
    return { outputs: [mapValues(mask, (own) => (own > threshold ? 1 : 0))] };
  },
});

export const cropMask = defineNode({
  name: 'CropMask',
  displayName: 'Crop Mask',
  category: 'image/mask',
  description: 'Cuts a rectangle out of masks.',
  required: {
    mask: link('MASK'),
    x: side(0, 0, 'Left edge in pixels.'),
    y: side(0, 0, 'Upper edge in pixels.'),
    width: side(512, 1, 'Width in pixels.'),
    height: side(512, 1, 'Height in pixels.'),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ mask, x, y, width, height }) {
    return { outputs: [crop(mask, IMAGE_ROWS, { y, x, height, width })] };
  },
});

export const maskToImage = defineNode({
  name: 'MaskToImage',
  displayName: 'Convert Mask to Image',
  category: 'image/mask',
  description: 'Grey images of masks.',
  required: { mask: link('MASK') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ mask }) {
    return { outputs: [greyImage(mask)] };
  },
});

const CHANNELS = ['red', 'green', 'blue', 'alpha'] as const;

export const imageToMask = defineNode({
  name: 'ImageToMask',
  displayName: 'Convert Image to Mask',
  category: 'image/mask',
  description: 'One channel of images as masks.',
  required: { image: link('IMAGE'), channel: combo(CHANNELS, { tooltip: 'The channel to take.' }) },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ image, channel }) {
    const channels = image.shape[3]!;
    const index = CHANNELS.indexOf(channel);
    if (index >= channels)
      throw new RangeError(`the image has ${channels} channels, ${channel} is not among them`);
    const mask = tensor(image.shape.slice(0, 3));
    for (let i = 0; i < mask.data.length; i++) mask.data[i] = image.data[i * channels + index]!;
    return { outputs: [mask] };
  },
});

export const imageColorToMask = defineNode({
  name: 'ImageColorToMask',
  displayName: 'Convert Image Color to Mask',
  category: 'image/mask',
  description: 'White where images have exactly one colour, black elsewhere.',
  required: {
    image: link('IMAGE'),
    color: int({ default: 0, min: 0, max: 0xffffff, step: 1, tooltip: 'The colour, as 0xRRGGBB.' }),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ image, color }) {
    const channels = image.shape[3]!;
    const mask = tensor(image.shape.slice(0, 3));
    const byte = (index: number) =>
      roundHalfEven(Math.fround(Math.min(Math.max(image.data[index]!, 0), 1) * 255));
    for (let i = 0; i < mask.data.length; i++) {
      const at = i * channels;
      mask.data[i] = byte(at) * 0x10000 + byte(at + 1) * 0x100 + byte(at + 2) === color ? 1 : 0;
    }
    return { outputs: [mask] };
  },
});
