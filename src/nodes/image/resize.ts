/** Enlarging and shrinking images (ComfyUI nodes.py, comfy_extras/nodes_post_processing.py). */
import { tensor } from '../../compute/tensor.js';
import { IMAGE_ROWS, paste } from '../../imaging/planes.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { CROP_METHODS, IMAGE_UPSCALE_METHODS, upscaleImage } from '../../imaging/upscale.js';
import { combo, defineNode, float, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

type Extents = readonly [batch: number, height: number, width: number, channels: number];

const upscaleMethod = combo(IMAGE_UPSCALE_METHODS, { tooltip: 'lanczos works on 8-bit values.' });

const side = (tooltip: string) => int({ default: 512, min: 0, max: MAX_RESOLUTION, step: 1, tooltip });

export const imageScale = defineNode({
  name: 'ImageScale',
  displayName: 'Upscale Image',
  category: 'image/upscaling',
  description: 'Resizes images to a size in pixels.',
  required: {
    image: link('IMAGE'),
    upscale_method: upscaleMethod,
    width: side('Width in pixels; 0 keeps the aspect ratio.'),
    height: side('Height in pixels; 0 keeps the aspect ratio.'),
    crop: combo(CROP_METHODS, { tooltip: 'center cuts to the new aspect ratio first.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, upscale_method, width, height, crop }) {
    if (width === 0 && height === 0) return { outputs: [image] };
    const [, ownHeight, ownWidth] = image.shape as Extents;
    const target = {
      width: width === 0 ? Math.max(1, roundHalfEven((ownWidth * height) / ownHeight)) : width,
      height: height === 0 ? Math.max(1, roundHalfEven((ownHeight * width) / ownWidth)) : height,
      crop,
    };
    return { outputs: [upscaleImage(image, upscale_method, target)] };
  },
});

export const imageScaleBy = defineNode({
  name: 'ImageScaleBy',
  displayName: 'Upscale Image By',
  category: 'image/upscaling',
  description: 'Resizes images by a factor.',
  required: {
    image: link('IMAGE'),
    upscale_method: upscaleMethod,
    scale_by: float({ default: 1, min: 0.01, max: 8, step: 0.01, tooltip: 'Factor for both sides.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, upscale_method, scale_by }) {
    const [, height, width] = image.shape as Extents;
    const target = { width: roundHalfEven(width * scale_by), height: roundHalfEven(height * scale_by) };
    return { outputs: [upscaleImage(image, upscale_method, target)] };
  },
});

export const imageScaleToTotalPixels = defineNode({
  name: 'ImageScaleToTotalPixels',
  displayName: 'Scale Image to Total Pixels',
  category: 'image/upscaling',
  description: 'Resizes images to a number of pixels, keeping the aspect ratio.',
  required: {
    image: link('IMAGE'),
    upscale_method: upscaleMethod,
    megapixels: float({
      default: 1,
      min: 0.01,
      max: 16,
      step: 0.01,
      tooltip: 'Pixels of the result in units of 1024 × 1024.',
    }),
    resolution_steps: int({
      default: 1,
      min: 1,
      max: 256,
      tooltip: 'Width and height become multiples of this.',
    }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, upscale_method, megapixels, resolution_steps: multiple }) {
    const [, height, width] = image.shape as Extents;
    const scale = Math.sqrt((megapixels * 1024 * 1024) / (width * height));
    const side = (length: number): number => roundHalfEven((length * scale) / multiple) * multiple;
    const target = { width: side(width), height: side(height) };
    return { outputs: [upscaleImage(image, upscale_method, target)] };
  },
});

export const imageScaleToMaxDimension = defineNode({
  name: 'ImageScaleToMaxDimension',
  displayName: 'Scale Image to Max Dimension',
  category: 'image/upscaling',
  description: 'Resizes images to a length of their longer side.',
  required: {
    image: link('IMAGE'),
    // ComfyUI lists bilinear twice.
    upscale_method: combo(['area', 'lanczos', 'bilinear', 'nearest-exact', 'bilinear', 'bicubic']),
    largest_size: side('Pixels along the longer side.'),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, upscale_method, largest_size }) {
    const [, height, width] = image.shape as Extents;
    const target =
      height > width
        ? { width: roundHalfEven((width / height) * largest_size), height: largest_size }
        : {
            width: largest_size,
            height: height === width ? largest_size : roundHalfEven((height / width) * largest_size),
          };
    return { outputs: [upscaleImage(image, upscale_method, target)] };
  },
});

const targetSide = int({ default: 512, min: 1, max: MAX_RESOLUTION, step: 1, tooltip: 'Pixels.' });

export const resizeAndPadImage = defineNode({
  name: 'ResizeAndPadImage',
  displayName: 'Resize And Pad Image',
  category: 'image/transform',
  description: 'Resizes images to fit into a size and fills what is left.',
  required: {
    image: link('IMAGE'),
    target_width: targetSide,
    target_height: targetSide,
    padding_color: combo(['white', 'black']),
    interpolation: combo(['area', 'bicubic', 'nearest-exact', 'bilinear', 'lanczos']),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, target_width, target_height, padding_color, interpolation }) {
    const [batch, ownHeight, ownWidth, channels] = image.shape as Extents;
    const scale = Math.min(target_width / ownWidth, target_height / ownHeight);
    const [width, height] = [Math.trunc(ownWidth * scale), Math.trunc(ownHeight * scale)];
    const resized = upscaleImage(image, interpolation, { width, height });
    const padded = tensor([batch, target_height, target_width, channels]);
    padded.data.fill(padding_color === 'black' ? 0 : 1);
    const [y, x] = [Math.floor((target_height - height) / 2), Math.floor((target_width - width) / 2)];
    return { outputs: [paste(padded, resized, IMAGE_ROWS, y, x)] };
  },
});
