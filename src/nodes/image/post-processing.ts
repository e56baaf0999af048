/** Blending, blurring, sharpening and noise on images (ComfyUI comfy_extras/nodes_post_processing.py, nodes_images.py). */
import { withChannels } from '../../imaging/channels.js';
import { gaussianBlur } from '../../imaging/blur.js';
import { combineValues } from '../../imaging/tensor-ops.js';
import { upscaleImage } from '../../imaging/upscale.js';
import { prepareNoise } from '../../sampling/noise.js';
import { combo, defineNode, float, int, link, seed } from '../definition.js';

const blendModes = {
  normal: (_: number, b: number) => b,
  multiply: (a: number, b: number) => a * b,
  screen: (a: number, b: number) => 1 - (1 - a) * (1 - b),
  overlay: (a: number, b: number) => (a <= 0.5 ? 2 * a * b : 1 - 2 * (1 - a) * (1 - b)),
  soft_light: (a: number, b: number) =>
    b <= 0.5 ? a - (1 - 2 * b) * a * (1 - a) : a + (2 * b - 1) * (lightened(a) - a),
  difference: (a: number, b: number) => a - b,
} as const;

function lightened(value: number): number {
  return value <= 0.25 ? ((16 * value - 12) * value + 4) * value : Math.sqrt(value);
}

const within = (value: number): number => Math.min(Math.max(value, 0), 1);

export const imageBlend = defineNode({
  name: 'ImageBlend',
  displayName: 'Blend Images',
  category: 'image/filters',
  description: 'Blends an image with another; the second is resized to the first where they differ.',
  required: {
    image1: link('IMAGE'),
    image2: link('IMAGE'),
    blend_factor: float({ default: 0.5, min: 0, max: 1, step: 0.01, tooltip: 'Share of the blended image.' }),
    blend_mode: combo(['normal', 'multiply', 'screen', 'overlay', 'soft_light', 'difference']),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image1, image2, blend_factor, blend_mode }) {
    const base = image1;
    const other = withChannels(image2, image1.shape[3]!);
    const [, height = 0, width = 0] = base.shape;
    const resized = base.shape.every((extent, axis) => extent === other.shape[axis])
      ? other
      : upscaleImage(other, 'bicubic', { width, height, crop: 'center' });
    const blend = blendModes[blend_mode];
    const mixed = combineValues(base, resized, (a, b) =>
      within(a * (1 - blend_factor) + blend(a, b) * blend_factor),
    );
    return { outputs: [mixed] };
  },
});

export const imageAddNoise = defineNode({
  name: 'ImageAddNoise',
  displayName: 'Add Noise to Image',
  category: 'image/filters',
  description: 'Adds Gaussian noise to images.',
  required: {
    image: link('IMAGE'),
    seed: seed({ tooltip: 'The random seed.' }),
    strength: float({
      default: 0.5,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'Standard deviation of the noise.',
    }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, seed, strength }) {
    const noise = prepareNoise(image.shape, seed);
    const share = Math.fround(strength);
    return {
      outputs: [combineValues(image, noise, (value, draw) => within(value + Math.fround(share * draw)))],
    };
  },
});

const radius = (tooltip: string) => int({ default: 1, min: 1, max: 31, step: 1, tooltip });

export const imageBlur = defineNode({
  name: 'ImageBlur',
  displayName: 'Blur Image',
  category: 'image/filters',
  description: 'Blurs images by a Gaussian.',
  required: {
    image: link('IMAGE'),
    blur_radius: radius('Pixels on either side.'),
    sigma: float({ default: 1, min: 0.1, max: 10, step: 0.1, tooltip: 'Width of the Gaussian, in radii.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, blur_radius, sigma }) {
    return { outputs: [gaussianBlur(image, { radius: blur_radius, sigma })] };
  },
});

export const imageSharpen = defineNode({
  name: 'ImageSharpen',
  displayName: 'Sharpen Image',
  category: 'image/filters',
  description: 'Sharpens images: adds what a blur takes away, ten times alpha.',
  required: {
    image: link('IMAGE'),
    sharpen_radius: radius('Pixels on either side.'),
    sigma: float({ default: 1, min: 0.1, max: 10, step: 0.01, tooltip: 'Width of the Gaussian, in radii.' }),
    alpha: float({ default: 1, min: 0, max: 5, step: 0.01, tooltip: 'How strongly.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, sharpen_radius, sigma, alpha }) {
    const blurred = gaussianBlur(image, { radius: sharpen_radius, sigma });
    const sharpened = combineValues(image, blurred, (sharp, soft) =>
      within(sharp + 10 * alpha * (sharp - soft)),
    );
    return { outputs: [sharpened] };
  },
});
