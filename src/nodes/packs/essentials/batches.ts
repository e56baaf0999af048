/** Batches of images and masks (ComfyUI_essentials image.py, mask.py). */
import {
  batchOf,
  combo,
  concatRows,
  defineNode,
  int,
  link,
  repeatRows,
  resizeBatch,
  sameRows,
  spreadOverBatch,
  takeRows,
  tensor,
  upscaleImage,
  type Image,
  type ImageUpscaleMethod,
  type Tensor,
} from '../../public.js';

type Extents = readonly [batch: number, height: number, width: number, channels: number];

const EXPANSIONS = ['expand', 'repeat all', 'repeat first', 'repeat last'] as const;
const size = int({ default: 16, min: 1, max: Infinity, step: 1, tooltip: 'How many there are then.' });
const method = combo(EXPANSIONS);

/** With another number of rows. */
function expanded(source: Tensor, rows: number, how: (typeof EXPANSIONS)[number]): Tensor {
  const own = batchOf(source);
  if (own === rows) return source;
  if (rows <= 1) return takeRows(source, 0, rows);
  if (how === 'expand') return spreadOverBatch(source, rows);
  if (how === 'repeat all' || rows < own) return resizeBatch(source, rows);
  const row = how === 'repeat first' ? 0 : own - 1;
  const more = repeatRows(takeRows(source, row, 1), rows - own);
  return how === 'repeat first' ? concatRows(more, source) : concatRows(source, more);
}

export const imageExpandBatch = defineNode({
  name: 'ImageExpandBatch+',
  displayName: '🔧 Image Expand Batch',
  category: 'essentials/image batch',
  description: 'Repeats or drops images until there are as many as wanted.',
  required: { image: link('IMAGE'), size, method },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run: ({ image, size: rows, method: how }) => ({ outputs: [expanded(image, rows, how)] }),
});

export const maskExpandBatch = defineNode({
  name: 'MaskExpandBatch+',
  displayName: '🔧 Mask Expand Batch',
  category: 'essentials/mask batch',
  description: 'Repeats or drops masks until there are as many as wanted.',
  required: { mask: link('MASK'), size, method },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run: ({ mask, size: rows, method: how }) => ({ outputs: [expanded(mask, rows, how)] }),
});

/** At the size of another, scaled and cut where they differ. */
function fitted(image: Image, to: Image, how: ImageUpscaleMethod): Image {
  if (sameRows(image, to)) return image;
  const [, height, width] = to.shape as Extents;
  return upscaleImage(image, how, { width, height, crop: 'center' });
}

export const imageBatchMultiple = defineNode({
  name: 'ImageBatchMultiple+',
  displayName: '🔧 Images Batch Multiple',
  category: 'essentials/image batch',
  description: 'Joins up to five batches of images; the others get the size of the first.',
  required: {
    image_1: link('IMAGE'),
    method: combo(['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'], { default: 'lanczos' }),
  },
  optional: {
    image_2: link('IMAGE'),
    image_3: link('IMAGE'),
    image_4: link('IMAGE'),
    image_5: link('IMAGE'),
  },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image_1, method: how, image_2, image_3, image_4, image_5 }) {
    const others = [image_2, image_3, image_4, image_5].filter((image) => image !== undefined);
    return {
      outputs: [others.reduce((batch, image) => concatRows(batch, fitted(image, image_1, how)), image_1)],
    };
  },
});

export const imageFromBatchPlus = defineNode({
  name: 'ImageFromBatch+',
  displayName: '🔧 Image From Batch',
  category: 'essentials/image batch',
  description: 'Takes images out of a batch.',
  required: {
    image: link('IMAGE'),
    start: int({ default: 0, min: 0, max: Infinity, step: 1, tooltip: 'The first one, counted from 0.' }),
    length: int({
      default: -1,
      min: -1,
      max: Infinity,
      step: 1,
      tooltip: 'How many; −1 for all that are left.',
    }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run: ({ image, start, length }) => ({
    outputs: [part(image, start, length < 0 ? batchOf(image) : length)],
  }),
});

function part(source: Tensor, start: number, length: number): Tensor {
  const first = Math.min(start, batchOf(source) - 1);
  return takeRows(source, first, Math.min(batchOf(source) - first, length));
}

export const maskFromBatch = defineNode({
  name: 'MaskFromBatch+',
  displayName: '🔧 Mask From Batch',
  category: 'essentials/mask batch',
  description: 'Takes masks out of a batch.',
  required: {
    mask: link('MASK'),
    start: int({ default: 0, min: 0, max: Infinity, step: 1, tooltip: 'The first one, counted from 0.' }),
    length: int({ default: 1, min: 1, max: Infinity, step: 1, tooltip: 'How many.' }),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run: ({ mask, start, length }) => ({ outputs: [part(mask, start, length)] }),
});

export const imageListToBatch = defineNode({
  name: 'ImageListToBatch+',
  displayName: '🔧 Image List To Batch',
  category: 'essentials/image batch',
  description: 'A list of images as one batch; all get the size of the first.',
  inputIsList: true,
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image: images }) {
    const [first, ...others] = images;
    if (first === undefined) throw new RangeError('the list of images is empty');
    const [, height, width] = first.shape as Extents;
    const sameSize = (image: Image) => image.shape[1] === height && image.shape[2] === width;
    const fit = (image: Image) =>
      sameSize(image) ? image : upscaleImage(image, 'bicubic', { width, height, crop: 'center' });
    return { outputs: [others.reduce((batch, image) => concatRows(batch, fit(image)), first)] };
  },
});

export const imageBatchToList = defineNode({
  name: 'ImageBatchToList+',
  displayName: '🔧 Image Batch To List',
  category: 'essentials/image batch',
  description: 'A batch of images as a list of single ones.',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE', isList: true }],
  run: ({ image }) => ({
    outputs: [Array.from({ length: batchOf(image) }, (_, row) => takeRows(image, row, 1))],
  }),
});

export const maskBatch = defineNode({
  name: 'MaskBatch+',
  displayName: '🔧 Mask Batch',
  category: 'essentials/mask batch',
  description: 'Joins two batches of masks; the second gets the size of the first.',
  required: { mask1: link('MASK'), mask2: link('MASK') },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ mask1, mask2 }) {
    if (sameRows(mask1, mask2)) return { outputs: [concatRows(mask1, mask2)] };
    const [, height = 0, width = 0] = mask1.shape;
    const target = { width, height, crop: 'center' } as const;
    const scaled = upscaleImage(tensor([...mask2.shape, 1], mask2.data), 'bicubic', target);
    return { outputs: [concatRows(mask1, tensor(scaled.shape.slice(0, 3), scaled.data))] };
  },
});
