/** Pictures in base64. */
import { base64Bytes, combo, defineNode, pictureOf, string, tensor } from '../../public.js';
import { easySave, shown } from './save.js';

export const loadImageBase64 = defineNode({
  name: 'easy loadImageBase64',
  displayName: 'Load Image (Base64)',
  category: 'EasyUse/Image/LoadImage',
  description: 'A picture in base64, as it lies in its file; the mask is white where it is opaque.',
  required: {
    base64_data: string(),
    image_output: combo(['Hide', 'Preview', 'Save', 'Hide/Save'], { default: 'Preview' }),
    save_prefix: string({ default: 'ComfyUI' }),
  },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ],
  outputNode: true,
  async run({ base64_data, image_output, save_prefix }, context) {
    const { image, alpha } = await pictureOf(base64Bytes(base64_data), context, { lying: true });
    const [, height = 0, width = 0] = image.shape;
    const opaque = () => tensor([1, height, width], new Float32Array(height * width).fill(1));
    const files = await easySave(image, image_output, save_prefix, { ...context, metadata: {} });
    return { outputs: [image, alpha ?? opaque()], ui: shown(image_output, files) };
  },
});
