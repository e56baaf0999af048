/** Pictures made alike for data sets (ComfyUI comfy_extras/nodes_dataset.py). Those that go through Pillow have 8 bits afterwards. */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { inBytes } from '../../imaging/bytes.js';
import { rgbOf } from '../../imaging/channels.js';
import { pillowResize } from '../../imaging/pillow-resize.js';
import { crop, IMAGE_ROWS, paste } from '../../imaging/planes.js';
import { batchOf, mapValues, takeRows } from '../../imaging/tensor-ops.js';
import { defineNode, float, int, link } from '../definition.js';

const images = link('IMAGE', { tooltip: 'The images.' });
const outputs = [{ type: 'IMAGE', name: 'images' }] as const;
const side = (standard: number, tooltip: string) => int({ default: standard, min: 1, max: 8192, tooltip });
const factor = (tooltip: string) => float({ default: 1, min: 0, max: 2, tooltip });
const { fround } = Math;
const within = (value: number) => Math.min(Math.max(value, 0), 1);

/** A picture whose side `edge` picks has a length, the other one in proportion. */
function toEdge(image: Tensor, length: number, edge: 'longer' | 'shorter'): Tensor {
  const [, height, width] = image.shape as readonly [number, number, number];
  const byWidth = edge === 'longer' ? width > height : width < height;
  const other = (extent: number, by: number) => Math.trunc(extent * (length / by));
  const [newHeight, newWidth] = byWidth ? [other(height, width), length] : [length, other(width, height)];
  if (newHeight < 1 || newWidth < 1) {
    throw new RangeError(
      `at ${edge} edge ${length}, nothing is left of the other side of ${width}×${height}`,
    );
  }
  return pillowResize(image, 'LANCZOS', newHeight, newWidth);
}

export const resizeImagesByShorterEdge = defineNode({
  name: 'ResizeImagesByShorterEdge',
  displayName: 'Resize Images by Shorter Edge (DEPRECATED)',
  category: 'image/transform',
  description: 'Scales images so that their shorter side has a length.',
  required: { images, shorter_edge: side(512, 'Pixels.') },
  optional: {},
  outputs,
  run: ({ images: given, shorter_edge }) => ({ outputs: [toEdge(given, shorter_edge, 'shorter')] }),
});

export const resizeImagesByLongerEdge = defineNode({
  name: 'ResizeImagesByLongerEdge',
  displayName: 'Resize Images by Longer Edge (DEPRECATED)',
  category: 'image/transform',
  description: 'Scales images so that their longer side has a length.',
  required: { images, longer_edge: side(1024, 'Pixels.') },
  optional: {},
  outputs,
  run: ({ images: given, longer_edge }) => ({ outputs: [toEdge(given, longer_edge, 'longer')] }),
});

export const centerCropImages = defineNode({
  name: 'CenterCropImages',
  displayName: 'Crop Image (Center)',
  category: 'image/transform',
  description: 'The middle of images.',
  required: { images, width: side(512, 'Pixels.'), height: side(512, 'Pixels.') },
  optional: {},
  outputs,
  run({ images: given, width, height }) {
    const [, ownHeight, ownWidth] = given.shape as readonly [number, number, number];
    const place = {
      x: Math.max(0, Math.floor((ownWidth - width) / 2)),
      y: Math.max(0, Math.floor((ownHeight - height) / 2)),
      width: Math.min(width, ownWidth),
      height: Math.min(height, ownHeight),
    };
    return { outputs: [inBytes(crop(given, IMAGE_ROWS, place))] };
  },
});

export const normalizeImages = defineNode({
  name: 'NormalizeImages',
  displayName: 'Normalize Image Colors',
  category: 'image/color',
  description: 'Values less a mean, over a deviation.',
  required: {
    images,
    mean: float({ default: 0.5, min: 0, max: 1, tooltip: 'What is taken away.' }),
    std: float({ default: 0.5, min: 0.001, max: 1, tooltip: 'What is divided by.' }),
  },
  optional: {},
  outputs,
  run: ({ images: given, mean, std }) => ({
    outputs: [mapValues(given, (value) => fround(value - fround(mean)) / fround(std))],
  }),
});

export const adjustBrightness = defineNode({
  name: 'AdjustBrightness',
  displayName: 'Adjust Brightness',
  category: 'image/adjustments',
  description: 'Brighter or darker images.',
  required: { images, factor: factor('Above 1 brighter, below 1 darker.') },
  optional: {},
  outputs,
  run: ({ images: given, factor: by }) => ({
    outputs: [mapValues(given, (value) => within(value * fround(by)))],
  }),
});

export const adjustContrast = defineNode({
  name: 'AdjustContrast',
  displayName: 'Adjust Contrast',
  category: 'image/adjustments',
  description: 'Images of more or less contrast.',
  required: { images, factor: factor('Above 1 more, below 1 less.') },
  optional: {},
  outputs,
  run: ({ images: given, factor: by }) => ({
    outputs: [mapValues(given, (value) => within(fround(fround(value - 0.5) * fround(by)) + 0.5))],
  }),
});

/** Each image by itself. */
function singly(lists: readonly Tensor[]): Tensor[] {
  return lists.flatMap((batch) =>
    Array.from({ length: batchOf(batch) }, (_, row) => takeRows(batch, row, 1)),
  );
}

export const mergeImageLists = defineNode({
  name: 'MergeImageLists',
  displayName: 'Merge Image Lists (DEPRECATED)',
  category: 'image/batch',
  description: 'A list of single images.',
  inputIsList: true,
  required: { images },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'images', isList: true }],
  run: ({ images: given }) => ({ outputs: [singly(given)] }),
});

export const imageGrid = defineNode({
  name: 'ImageGrid',
  displayName: 'Make Image Grid',
  category: 'image/batch',
  description: 'Images in rows and columns on black, each scaled to its cell.',
  inputIsList: true,
  required: {
    images,
    columns: int({ default: 4, min: 1, max: 20, tooltip: 'How many in a row.' }),
    cell_width: int({ default: 256, min: 32, max: 2048, tooltip: 'Pixels.' }),
    cell_height: int({ default: 256, min: 32, max: 2048, tooltip: 'Pixels.' }),
    padding: int({ default: 4, min: 0, max: 50, tooltip: 'Pixels between cells.' }),
  },
  optional: {},
  outputs,
  run({
    images: given,
    columns: [columns],
    cell_width: [cellWidth],
    cell_height: [cellHeight],
    padding: [padding],
  }) {
    const pictures = singly(given);
    if (pictures.length === 0) throw new RangeError('there is no image in the list');
    const [across, width, height, gap] = [columns!, cellWidth!, cellHeight!, padding!];
    const down = Math.ceil(pictures.length / across);
    const black = tensor([1, down * (height + gap) - gap, across * (width + gap) - gap, 3]);
    const grid = pictures.reduce((pasted, picture, index) => {
      const [row, column] = [Math.floor(index / across), index % across];
      const scaled = pillowResize(rgbOf(picture), 'LANCZOS', height, width);
      return paste(pasted, scaled, IMAGE_ROWS, row * (height + gap), column * (width + gap));
    }, black);
    return { outputs: [grid] };
  },
});
