/** The resolution at which a preprocessor should look, and at which a picture is drawn (comfyui_controlnet_aux hint_image_enchance.py). */
import { roundHalfEven } from '../../imaging/rounding.js';
import { combo, defineNode, int, link } from '../definition.js';

const extent = int({ default: 512, min: 64, max: 8192, step: 8 });

export const pixelPerfectResolution = defineNode({
  name: 'PixelPerfectResolution',
  displayName: 'Pixel Perfect Resolution',
  category: 'ControlNet Preprocessors',
  description: 'The shorter side of a picture scaled to the size that is drawn.',
  required: {
    original_image: link('IMAGE'),
    image_gen_width: extent,
    image_gen_height: extent,
    resize_mode: combo(['Just Resize', 'Crop and Resize', 'Resize and Fill'], { default: 'Just Resize' }),
  },
  optional: {},
  outputs: [{ type: 'INT', name: 'RESOLUTION (INT)' }],
  run({ original_image, image_gen_width, image_gen_height, resize_mode }) {
    const [, height = 1, width = 1] = original_image.shape;
    const factors = [image_gen_height / height, image_gen_width / width];
    const factor = resize_mode === 'Resize and Fill' ? Math.min(...factors) : Math.max(...factors);
    return { outputs: [roundHalfEven(factor * Math.min(height, width))] };
  },
});

const drawn = [
  { type: 'INT', name: 'IMAGE_GEN_WIDTH (INT)' },
  { type: 'INT', name: 'IMAGE_GEN_HEIGHT (INT)' },
] as const;

export const imageGenResolutionFromImage = defineNode({
  name: 'ImageGenResolutionFromImage',
  displayName: 'Generation Resolution From Image',
  category: 'ControlNet Preprocessors',
  description: "A picture's width and height.",
  required: { image: link('IMAGE') },
  optional: {},
  outputs: drawn,
  run({ image }) {
    const [, height = 0, width = 0] = image.shape;
    return { outputs: [width, height] };
  },
});

export const imageGenResolutionFromLatent = defineNode({
  name: 'ImageGenResolutionFromLatent',
  displayName: 'Generation Resolution From Latent',
  category: 'ControlNet Preprocessors',
  description: "Eight times a latent's width and height.",
  required: { latent: link('LATENT') },
  optional: {},
  outputs: drawn,
  run({ latent }) {
    const [height = 0, width = 0] = latent.samples.shape.slice(-2);
    return { outputs: [width * 8, height * 8] };
  },
});
