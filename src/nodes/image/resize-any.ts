/** Images and masks at another size, in nine ways; parts of images (ComfyUI comfy_extras/nodes_post_processing.py, nodes_images.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { crop as cropTo, IMAGE_ROWS } from '../../imaging/planes.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import {
  CROP_METHODS,
  IMAGE_UPSCALE_METHODS,
  upscaleImage,
  type ImageUpscaleMethod,
  type Target,
} from '../../imaging/upscale.js';
import {
  combo,
  defineNode,
  dynamicCombo,
  float,
  int,
  link,
  match,
  matchOutput,
  multiType,
  widget,
} from '../definition.js';
import { previewPrefix, saveImages } from '../files/saved-images.js';
import { MAX_RESOLUTION } from '../limits.js';

interface Size {
  readonly width: number;
  readonly height: number;
}

const pixels = int({
  default: 512,
  min: 0,
  max: MAX_RESOLUTION,
  step: 1,
  tooltip: 'Pixels; 0 keeps the aspect ratio.',
});
const crop = combo(CROP_METHODS, {
  default: 'center',
  tooltip: 'center cuts to the new aspect ratio first.',
});

/** The size of an image or a mask. */
const sizeOf = ({ shape }: Tensor): Size => ({ width: shape[2]!, height: shape[1]! });

function resized(value: Tensor, method: ImageUpscaleMethod, target: Target): Tensor {
  if (value.shape.length !== 3) return upscaleImage(value, method, target);
  const image = upscaleImage(tensor([...value.shape, 1], value.data), method, target);
  return tensor(image.shape.slice(0, 3), image.data);
}

/** With a side of 0 in the proportion of the other; undefined for none at all. */
function dimensions(own: Size, width: number, height: number): Size | undefined {
  if (width === 0 && height === 0) return undefined;
  if (width === 0) return { width: Math.max(1, roundHalfEven((own.width * height) / own.height)), height };
  if (height === 0) return { width, height: Math.max(1, roundHalfEven((own.height * width) / own.width)) };
  return { width, height };
}

/** With the width, or the height, as given. */
function bySide(own: Size, length: number, side: 'width' | 'height'): Size {
  return side === 'width'
    ? {
        width: length,
        height: own.height === own.width ? length : roundHalfEven((own.height / own.width) * length),
      }
    : {
        height: length,
        width: own.height === own.width ? length : roundHalfEven((own.width / own.height) * length),
      };
}

/** As large as covers the next smaller multiples of both sides, cut to these. */
function toMultiple(value: Tensor, multiple: number, method: ImageUpscaleMethod): Tensor {
  const own = sizeOf(value);
  const width = Math.floor(own.width / multiple) * multiple;
  const height = Math.floor(own.height / multiple) * multiple;
  const fits = width === own.width && height === own.height;
  if (multiple <= 1 || width === 0 || height === 0 || fits) return value;
  const [across, down] = [width / own.width, height / own.height];
  const scaled =
    across >= down
      ? { width, height: Math.max(Math.ceil(own.height * across), height) }
      : { width: Math.max(Math.ceil(own.width * down), width), height };
  const start = { x: Math.floor((scaled.width - width) / 2), y: Math.floor((scaled.height - height) / 2) };
  return cropTo(resized(value, method, scaled), IMAGE_ROWS, { ...start, width, height });
}

export const resizeImageMask = defineNode({
  name: 'ResizeImageMaskNode',
  displayName: 'Resize Image/Mask',
  category: 'image/transform',
  description:
    'Resizes images or masks: to a size, by a factor, by one side, to a number of pixels, to multiples.',
  required: {
    input: match('input_type', { allowed: ['IMAGE', 'MASK'] }),
    resize_type: dynamicCombo({
      'scale dimensions': { required: { width: pixels, height: pixels, crop } },
      'scale by multiplier': {
        required: { multiplier: float({ default: 1, min: 0.01, max: 8, step: 0.01 }) },
      },
      'scale longer dimension': { required: { longer_size: pixels } },
      'scale shorter dimension': { required: { shorter_size: pixels } },
      'scale width': { required: { width: pixels } },
      'scale height': { required: { height: pixels } },
      'scale total pixels': {
        required: { megapixels: float({ default: 1, min: 0.01, max: 16, step: 0.01 }) },
      },
      'match size': { required: { match: multiType(['IMAGE', 'MASK']), crop } },
      'scale to multiple': {
        required: { multiple: int({ default: 8, min: 1, max: MAX_RESOLUTION, step: 1 }) },
      },
    }),
    scale_method: combo(IMAGE_UPSCALE_METHODS, { default: 'area' }),
  },
  optional: {},
  outputs: [matchOutput('input_type', 'resized')],
  run({ input, resize_type: how, scale_method: method }) {
    const value = input as Tensor;
    const own = sizeOf(value);
    const to = (size: Target | undefined) => ({
      outputs: [size === undefined ? value : resized(value, method, size)] as const,
    });
    const by = (factor: number) =>
      to({ width: roundHalfEven(own.width * factor), height: roundHalfEven(own.height * factor) });
    const longer = own.height > own.width ? 'height' : 'width';
    switch (how.resize_type) {
      case 'scale dimensions': {
        const size = dimensions(own, how.width, how.height);
        return to(size && { ...size, crop: how.crop });
      }
      case 'scale by multiplier':
        return by(how.multiplier);
      case 'scale longer dimension':
        return to(bySide(own, how.longer_size, longer));
      case 'scale shorter dimension':
        return to(bySide(own, how.shorter_size, longer === 'width' ? 'height' : 'width'));
      case 'scale width':
        return to(dimensions(own, how.width, 0));
      case 'scale height':
        return to(dimensions(own, 0, how.height));
      case 'scale total pixels':
        return by(Math.sqrt(Math.trunc(how.megapixels * 1024 * 1024) / (own.width * own.height)));
      case 'match size':
        return to({ ...sizeOf(how.match), crop: how.crop });
      case 'scale to multiple':
        return { outputs: [toMultiple(value, how.multiple, method)] };
    }
  },
});

const REGION = { x: 0, y: 0, width: 512, height: 512 };

export const imageCropV2 = defineNode({
  name: 'ImageCropV2',
  displayName: 'Crop Image',
  category: 'image/transform',
  description: 'Cuts a rectangle out of images, and shows it.',
  required: { image: link('IMAGE'), crop_region: widget('BOUNDING_BOX', { default: REGION }) },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  async run({ image, crop_region }, context) {
    const region = { ...REGION, ...crop_region };
    if (Object.values(region).some((value) => !Number.isInteger(value))) {
      throw new TypeError('crop_region must have whole numbers x, y, width and height');
    }
    const own = sizeOf(image);
    const rectangle = {
      ...region,
      x: Math.min(region.x, own.width - 1),
      y: Math.min(region.y, own.height - 1),
    };
    const part = cropTo(image, IMAGE_ROWS, rectangle);
    const saving = { type: 'temp', prefix: previewPrefix(), compressionLevel: 1 } as const;
    return { outputs: [part], ui: { images: await saveImages(part, saving, context) } };
  },
});

const edge = int({ default: 0, min: 0, max: MAX_RESOLUTION });
const length = int({ default: 512, min: 1, max: MAX_RESOLUTION });

export const primitiveBoundingBox = defineNode({
  name: 'PrimitiveBoundingBox',
  displayName: 'Bounding Box',
  category: 'utilities/primitive',
  description: 'A rectangle, in pixels.',
  required: { x: edge, y: edge, width: length, height: length },
  optional: {},
  outputs: [{ type: 'BOUNDING_BOX', name: 'BOUNDING_BOX' }],
  run: ({ x, y, width, height }) => ({ outputs: [{ x, y, width, height }] }),
});
