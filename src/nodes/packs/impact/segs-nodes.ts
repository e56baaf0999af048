/** Parts of pictures as masks and images, and lists of them (modules/impact/segs_nodes.py, util_nodes.py, impact_pack.py). */
import { boolean, defineNode, link, tensor, type Mask } from '../../public.js';
import { fittedBatch } from './batches.js';
import { cropFactor, dropSize } from './finding-inputs.js';
import {
  combinedMask,
  emptyImage,
  maskToSegs,
  partOf,
  scaledSegs,
  SEGS,
  singleMask,
  withinMask,
  type Segs,
} from './segs.js';

const operation = { category: 'ImpactPack/Operation' };
const SEGS_OUTPUT = [{ type: SEGS, name: 'SEGS' }] as const;
const MASK_OUTPUT = [{ type: 'MASK', name: 'MASK' }] as const;

export const maskToSegsNode = defineNode({
  ...operation,
  name: 'MaskToSEGS',
  displayName: 'MASK to SEGS',
  description: 'The shapes of a mask, as parts of a picture.',
  required: {
    mask: link('MASK'),
    combined: boolean({ default: false, tooltip: 'One part with all of the mask.' }),
    crop_factor: cropFactor(100),
    bbox_fill: boolean({ default: false, tooltip: 'Fills shapes up to rectangles.' }),
    drop_size: dropSize,
    contour_fill: boolean({ default: false, tooltip: 'Fills shapes with white.' }),
  },
  optional: {},
  outputs: SEGS_OUTPUT,
  run: ({ mask, combined, crop_factor, bbox_fill, drop_size, contour_fill }) => ({
    outputs: [
      maskToSegs(singleMask(mask), {
        combined,
        cropFactor: crop_factor,
        fillsBox: bbox_fill,
        dropSize: drop_size,
        fillsContour: contour_fill,
      }),
    ],
  }),
});

export const segsToCombinedMask = defineNode({
  ...operation,
  name: 'SegsToCombinedMask',
  displayName: 'SEGS to MASK (combined)',
  description: 'The masks of all parts in one.',
  required: { segs: link(SEGS) },
  optional: {},
  outputs: MASK_OUTPUT,
  run: ({ segs }) => ({ outputs: [combinedMask(segs)] }),
});

const within = {
  required: { segs: link(SEGS), mask: link('MASK') },
  optional: {},
  outputs: SEGS_OUTPUT,
  run: ({ segs, mask }: { readonly segs: Segs; readonly mask: Mask }) => ({
    outputs: [withinMask(segs, singleMask(mask))] as const,
  }),
};

export const segsAndMask = defineNode({
  ...operation,
  ...within,
  name: 'ImpactSegsAndMask',
  displayName: 'Pixelwise(SEGS & MASK)',
  description: 'Parts where a mask is as well.',
});

export const segsToImageList = defineNode({
  name: 'SEGSToImageList',
  displayName: 'SEGSToImageList',
  category: 'ImpactPack/Util',
  description: 'The pictures of parts.',
  required: { segs: link(SEGS) },
  optional: { fallback_image_opt: link('IMAGE', { tooltip: 'What parts without a picture are cut from.' }) },
  outputs: [{ type: 'IMAGE', name: 'IMAGE', isList: true }],
  run({ segs, fallback_image_opt: fallback }) {
    const [, height = 0, width = 0] = fallback?.shape ?? [];
    const scaled = fallback === undefined ? segs : scaledSegs(segs, height, width);
    const images = scaled.items.map(
      ({ image, region }) => image ?? (fallback === undefined ? emptyImage() : partOf(fallback, region)),
    );
    return { outputs: [images.length === 0 ? [emptyImage()] : images] };
  },
});

export const masksToMaskList = defineNode({
  ...operation,
  name: 'MasksToMaskList',
  displayName: 'Mask Batch to Mask List',
  description: 'The masks of a batch, one by one.',
  required: { masks: link('MASK') },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK', isList: true }],
  run({ masks }) {
    const [count = 0, height = 0, width = 0] = masks.shape;
    const one = (at: number) =>
      tensor([1, height, width], masks.data.slice(at * height * width, (at + 1) * height * width));
    return { outputs: [Array.from({ length: count }, (_, at) => one(at))] };
  },
});

export const imageBatchToList = defineNode({
  name: 'ImpactImageBatchToImageList',
  displayName: 'Image Batch to Image List',
  category: 'ImpactPack/Util',
  description: 'The images of a batch, one by one.',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE', isList: true }],
  run({ image }) {
    const [count = 0, ...one] = image.shape;
    const size = one.reduce((product, extent) => product * extent, 1);
    const at = (index: number) => tensor([1, ...one], image.data.slice(index * size, (index + 1) * size));
    return { outputs: [Array.from({ length: count }, (_, index) => at(index))] };
  },
});

export const imageListToBatch = defineNode({
  ...operation,
  name: 'ImageListToImageBatch',
  displayName: 'Image List to Image Batch',
  description: 'Images in one batch; all get the size of the first.',
  inputIsList: true,
  required: { images: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run: ({ images }) => ({ outputs: [fittedBatch(images)] }),
});
