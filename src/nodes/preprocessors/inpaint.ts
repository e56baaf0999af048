/** Hints for inpainting (comfyui_controlnet_aux node_wrappers/inpaint.py). */
import { tensor } from '../../compute/tensor.js';
import { upscaleImage } from '../../imaging/upscale.js';
import { boolean, defineNode, link } from '../definition.js';

export const inpaintPreprocessor = defineNode({
  name: 'InpaintPreprocessor',
  displayName: 'Inpaint Preprocessor',
  category: 'ControlNet Preprocessors/others',
  description: 'Marks what is masked with −1, or with black where a ControlNet wants that.',
  required: { image: link('IMAGE'), mask: link('MASK') },
  optional: { black_pixel_for_xinsir_cn: boolean({ default: false }) },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, mask, black_pixel_for_xinsir_cn: black = false }) {
    const [count = 0, height = 0, width = 0, channels = 0] = image.shape;
    const [rows, maskHeight, maskWidth] = mask.shape.length === 2 ? [1, ...mask.shape] : mask.shape;
    if (rows !== count) {
      throw new RangeError(`${count} pictures need as many masks, there are ${rows}`);
    }
    const grey = tensor([rows, maskHeight!, maskWidth!, 1], mask.data);
    const fitted = upscaleImage(grey, 'bilinear', { height, width, crop: 'disabled' });
    const marked = tensor(image.shape, image.data.slice());
    fitted.data.forEach((value, pixel) => {
      if (value > 0.5) marked.data.fill(black ? 0 : -1, pixel * channels, (pixel + 1) * channels);
    });
    return { outputs: [marked] };
  },
});
