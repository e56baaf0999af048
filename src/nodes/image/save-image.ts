/** Images to PNG files with the workflow inside (ComfyUI nodes.py, SaveImage). */
import type { Tensor } from '../../compute/tensor.js';
import { greyImage } from '../../imaging/channels.js';
import { defineNode, link, string, widget } from '../definition.js';
import { previewPrefix, saveImages } from '../files/saved-images.js';

export const saveImage = defineNode({
  name: 'SaveImage',
  displayName: 'Save Image',
  category: 'image',
  description: 'Saves images into the output folder as PNG files, with the workflow inside.',
  required: {
    images: link('IMAGE', { tooltip: 'The images to save.' }),
    filename_prefix: string({
      default: 'ComfyUI',
      tooltip:
        'What file names begin with; may hold subfolders, %width%, %height%, %year%, %month%, %day%, %hour%, %minute%, %second% and %batch_num%.',
    }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'images', tooltip: 'The images, as they came.' }],
  outputNode: true,
  async run({ images, filename_prefix }, context) {
    const saving = { type: 'output', prefix: filename_prefix, compressionLevel: 4 } as const;
    return { outputs: [images], ui: { images: await saveImages(images, saving, context) } };
  },
});

export const previewImage = defineNode({
  name: 'PreviewImage',
  displayName: 'Preview Image',
  category: 'image',
  description: 'Saves images into the temp folder, to look at.',
  required: { images: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'images', tooltip: 'The images, as they came.' }],
  outputNode: true,
  async run({ images }, context) {
    const saving = { type: 'temp', prefix: previewPrefix(), compressionLevel: 1 } as const;
    return { outputs: [images], ui: { images: await saveImages(images, saving, context) } };
  },
});

/** ComfyUI's custom_nodes/websocket_image_save.py. */
export const saveImageWebsocket = defineNode({
  name: 'SaveImageWebsocket',
  displayName: 'Save Image (Websocket)',
  category: 'image',
  description:
    'Hands images to whoever follows the job, as PNG without a workflow inside; they lie in the temp folder and in no list of saved files.',
  required: { images: link('IMAGE') },
  optional: {},
  outputs: [],
  outputNode: true,
  // As in ComfyUI, it runs each time.
  fingerprint: () => String(Date.now()),
  async run({ images }, { folders, signal }) {
    const saving = { type: 'temp', prefix: previewPrefix(), compressionLevel: 1 } as const;
    const files = await saveImages(images, saving, { folders, signal, metadata: {} });
    return { outputs: [], ui: { websocket_images: files } };
  },
});

/** ComfyUI's comfy_extras/nodes_image_compare.py. */
export const imageCompare = defineNode({
  name: 'ImageCompare',
  displayName: 'Compare Images',
  category: 'image',
  description: 'Saves two batches of images into the temp folder, to look at side by side.',
  required: { compare_view: widget('IMAGECOMPARE') },
  optional: { image_a: link('IMAGE'), image_b: link('IMAGE') },
  outputs: [],
  outputNode: true,
  async run({ image_a, image_b }, context) {
    const saving = (name: string) =>
      ({ type: 'temp', prefix: `comfy.compare.${name}`, compressionLevel: 1 }) as const;
    const shown = async (image: Tensor | undefined, name: string) =>
      image === undefined || image.shape[0] === 0 ? [] : saveImages(image, saving(name), context);
    return { outputs: [], ui: { a_images: await shown(image_a, 'a'), b_images: await shown(image_b, 'b') } };
  },
});

export const maskPreview = defineNode({
  name: 'MaskPreview',
  displayName: 'Preview Mask',
  category: 'image/mask',
  description: 'Saves masks as grey images into the temp folder, to look at.',
  required: { mask: link('MASK') },
  optional: {},
  outputs: [{ type: 'MASK', name: 'mask', tooltip: 'The mask, as it came.' }],
  outputNode: true,
  async run({ mask }, context) {
    const saving = { type: 'temp', prefix: previewPrefix(), compressionLevel: 4 } as const;
    return { outputs: [mask], ui: { images: await saveImages(greyImage(mask), saving, context) } };
  },
});
