/** Images to PNG files with the workflow inside (ComfyUI nodes.py, SaveImage). */
import type { Tensor } from '../../compute/tensor.js';
import { greyImage } from '../../imaging/channels.js';
import { toPicture } from '../../imaging/bytes.js';
import { encodePng } from '../../imaging/png.js';
import type { RunContext } from '../context.js';
import { defineNode, link, string, type SavedFile } from '../definition.js';
import { openSeries, saveNumbered } from '../files/output-files.js';

interface Saving {
  readonly type: 'output' | 'temp';
  readonly prefix: string;
  /** zlib's. */
  readonly compressionLevel: number;
}

/** Saves each image of a batch, numbered on from what is there. */
async function saveImages(images: Tensor, saving: Saving, context: RunContext): Promise<SavedFile[]> {
  const { type, prefix, compressionLevel } = saving;
  const [batch, height, width] = images.shape as readonly [number, number, number, number];
  const series = await openSeries(type, context.folders[type], prefix, { width, height });
  const files: SavedFile[] = [];
  let next = series.counter;
  for (let index = 0; index < batch; index++) {
    context.signal.throwIfAborted();
    const options = { compressionLevel, texts: context.metadata };
    const png = await encodePng(toPicture(images, index), options);
    const saved = await saveNumbered(series, { counter: next, batch: index, extension: '.png' }, png);
    files.push(saved.file);
    next = saved.counter + 1;
  }
  return files;
}

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

/** A name of its own for a run's previews. */
function previewPrefix(): string {
  const letters = Array.from({ length: 5 }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26)));
  return `ComfyUI_temp_${letters.join('')}`;
}

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
