/** comfyui-tooling-nodes (Acly): pictures that programs hand over and take back. */
import {
  base64Bytes,
  combo,
  defineNode,
  link,
  pictureOf,
  previewPrefix,
  saveImages,
  string,
  tensor,
} from '../../public.js';

const category = 'external_tooling';

export const loadImageBase64 = defineNode({
  name: 'ETN_LoadImageBase64',
  displayName: 'Load Image (Base64)',
  category,
  description: 'A picture in base64; the mask is its alpha, and of its size without one.',
  required: { image: string({ multiline: false }) },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'image' },
    { type: 'MASK', name: 'mask' },
  ],
  async run({ image: text }, context) {
    const { image, alpha } = await pictureOf(base64Bytes(text), context);
    const [, height = 0, width = 0] = image.shape;
    return {
      outputs: [image, alpha ?? tensor([1, height, width], new Float32Array(height * width).fill(1))],
    };
  },
});

export const loadMaskBase64 = defineNode({
  name: 'ETN_LoadMaskBase64',
  displayName: 'Load Mask (Base64)',
  category,
  description: 'The red channel of a picture in base64.',
  required: { mask: string({ multiline: false }) },
  optional: {},
  outputs: [{ type: 'MASK', name: 'mask' }],
  async run({ mask: text }, context) {
    const { image } = await pictureOf(base64Bytes(text), context);
    const [, height = 0, width = 0] = image.shape;
    const red = Float32Array.from({ length: height * width }, (_, pixel) => image.data[pixel * 3]!);
    return { outputs: [tensor([1, height, width], red)] };
  },
});

let runs = 0;

export const sendImageWebSocket = defineNode({
  name: 'ETN_SendImageWebSocket',
  displayName: 'Send Image (WebSocket)',
  category,
  description: 'Hands images to whoever follows the job, as SaveImageWebsocket does: PNG, whatever is asked.',
  required: { images: link('IMAGE'), format: combo(['PNG', 'JPEG'], { default: 'PNG' }) },
  optional: {},
  outputs: [],
  outputNode: true,
  fingerprint: () => String(runs++),
  async run({ images }, { folders, signal }) {
    const saving = { type: 'temp', prefix: previewPrefix(), compressionLevel: 1 } as const;
    const files = await saveImages(images, saving, { folders, signal, metadata: {} });
    return { outputs: [], ui: { websocket_images: files } };
  },
});
