/** Batches of frames: cut, joined, thinned out (ComfyUI-VideoHelperSuite, image_latent_nodes.py, batched_nodes.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { rgbOf } from '../../imaging/channels.js';
import { batchOf, concatRows, pickRows, repeatRows, takeRows } from '../../imaging/tensor-ops.js';
import {
  CROP_METHODS,
  LATENT_UPSCALE_METHODS,
  upscaleImage,
  upscaleLatent,
  type CropMethod,
  type LatentUpscaleMethod,
} from '../../imaging/upscale.js';
import { boolean, combo, defineNode, int, link, string } from '../definition.js';
import { FILM_CATEGORY } from './film-sampling.js';
import { selectedRows } from './row-selection.js';

const category = `${FILM_CATEGORY}/image`;
const MOST = Number.MAX_SAFE_INTEGER;

const count = { type: 'INT', name: 'count' } as const;

export const vhsSplitImages = defineNode({
  name: 'VHS_SplitImages',
  displayName: 'Split Images 🎥🅥🅗🅢',
  category,
  description: 'Cuts a batch of images in two.',
  required: {
    images: link('IMAGE'),
    split_index: int({
      default: 0,
      step: 1,
      min: -MOST,
      max: MOST,
      tooltip: 'The first image of the second batch; negative ones count from the end.',
    }),
  },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'IMAGE_A' },
    { type: 'INT', name: 'A_count' },
    { type: 'IMAGE', name: 'IMAGE_B' },
    { type: 'INT', name: 'B_count' },
  ],
  run({ images, split_index }) {
    const batch = batchOf(images);
    const at = Math.min(Math.max(split_index < 0 ? batch + split_index : split_index, 0), batch);
    return { outputs: [takeRows(images, 0, at), at, takeRows(images, at, batch - at), batch - at] };
  },
});

const STRATEGIES = ['match A', 'match B', 'match smaller', 'match larger'] as const;

export const vhsMergeImages = defineNode({
  name: 'VHS_MergeImages',
  displayName: 'Merge Images 🎥🅥🅗🅢',
  category,
  description: 'Joins two batches of images; where sizes differ, one is brought to the size of the other.',
  required: {
    images_A: link('IMAGE'),
    images_B: link('IMAGE'),
    merge_strategy: combo(STRATEGIES, { tooltip: 'Whose size both get.' }),
    scale_method: combo(LATENT_UPSCALE_METHODS),
    crop: combo(CROP_METHODS, { tooltip: 'Whether the sides are cut to the other aspect before.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }, count],
  run({ images_A: a, images_B: b, merge_strategy, scale_method, crop }) {
    const [sizeOfA, sizeOfB] = [sizeOf(a), sizeOf(b)];
    const merged = (first: Tensor, second: Tensor) => {
      const joined = concatRows(first, second);
      return { outputs: [joined, batchOf(joined)] as const };
    };
    if (sizeOfA.width === sizeOfB.width && sizeOfA.height === sizeOfB.height) return merged(a, b);
    // VideoHelperSuite's "match smaller" takes A where A is the larger one.
    const larger = sizeOfA.width * sizeOfA.height <= sizeOfB.width * sizeOfB.height;
    const takesB = merge_strategy === 'match B' || (merge_strategy === 'match larger' && larger);
    return takesB
      ? merged(scaled(a, scale_method, { ...sizeOfB, crop }), b)
      : merged(a, scaled(b, scale_method, { ...sizeOfA, crop }));
  },
});

function sizeOf({ shape }: Tensor): { readonly width: number; readonly height: number } {
  const [, height, width] = shape as readonly [number, number, number, number];
  return { width, height };
}

function scaled(
  image: Tensor,
  method: LatentUpscaleMethod,
  target: { readonly width: number; readonly height: number; readonly crop: CropMethod },
): Tensor {
  if (method !== 'bislerp') return upscaleImage(image, method, target);
  const [batch, height, width, channels] = image.shape as readonly [number, number, number, number];
  const planes = moved(image, [batch, channels, height, width], channels);
  const large = upscaleLatent(planes, method, target);
  return moved(large, [batch, target.height, target.width, channels], target.height * target.width);
}

/** Per row of the batch a matrix of `columns`, transposed: channels from last to first, or back. */
function moved(source: Tensor, shape: readonly number[], columns: number): Tensor {
  const result = tensor(shape);
  const length = source.data.length / batchOf(source);
  const rows = length / columns;
  for (let start = 0; start < source.data.length; start += length) {
    for (let i = 0; i < length; i++) {
      result.data[start + (i % columns) * rows + Math.floor(i / columns)] = source.data[start + i]!;
    }
  }
  return result;
}

export const vhsSelectEveryNthImage = defineNode({
  name: 'VHS_SelectEveryNthImage',
  displayName: 'Select Every Nth Image 🎥🅥🅗🅢',
  category,
  description: 'Takes each n-th image of a batch.',
  required: {
    images: link('IMAGE'),
    select_every_nth: int({ default: 1, min: 1, max: MOST, step: 1 }),
    skip_first_images: int({ default: 0, min: 0, max: MOST, step: 1 }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }, count],
  run({ images, select_every_nth: nth, skip_first_images: skip }) {
    const taken = Math.max(0, Math.ceil((batchOf(images) - skip) / nth));
    const rows = Array.from({ length: taken }, (_, index) => skip + index * nth);
    return { outputs: [pickRows(images, rows), rows.length] };
  },
});

export const vhsGetImageCount = defineNode({
  name: 'VHS_GetImageCount',
  displayName: 'Get Image Count 🎥🅥🅗🅢',
  category,
  description: 'How many images a batch has.',
  required: { images: link('IMAGE') },
  optional: {},
  outputs: [count],
  run: ({ images }) => ({ outputs: [batchOf(images)] }),
});

export const vhsDuplicateImages = defineNode({
  name: 'VHS_DuplicateImages',
  displayName: 'Repeat Images 🎥🅥🅗🅢',
  category,
  description: 'Repeats a whole batch of images.',
  required: {
    images: link('IMAGE'),
    multiply_by: int({
      default: 1,
      min: 1,
      max: MOST,
      step: 1,
      tooltip: 'How many times the batch is there afterwards.',
    }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }, count],
  run({ images, multiply_by }) {
    return { outputs: [repeatRows(images, multiply_by), batchOf(images) * multiply_by] };
  },
});

export const vhsSelectImages = defineNode({
  name: 'VHS_SelectImages',
  displayName: 'Select Images 🎥🅥🅗🅢',
  category,
  description: 'Takes images by their numbers, in any order.',
  required: {
    image: link('IMAGE'),
    indexes: string({
      default: '0',
      tooltip:
        'Numbers from 0, negative ones from the end, and ranges as in Python, separated by commas: 0, -1, 2:8, ::-1.',
    }),
    err_if_missing: boolean({ default: true, tooltip: 'A number that the batch lacks is an error.' }),
    err_if_empty: boolean({ default: true, tooltip: 'Taking nothing is an error.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, indexes, err_if_missing, err_if_empty }) {
    const rows = selectedRows(indexes, batchOf(image), err_if_missing);
    if (err_if_empty && rows.length === 0) throw new RangeError(`${JSON.stringify(indexes)} selects nothing`);
    return { outputs: [pickRows(image, rows)] };
  },
});

const perBatch = int({ default: 16, min: 1, max: Infinity, tooltip: 'How many at a time.' });

export const vhsVaeDecodeBatched = defineNode({
  name: 'VHS_VAEDecodeBatched',
  displayName: 'VAE Decode Batched 🎥🅥🅗🅢',
  category: `${FILM_CATEGORY}/batched nodes`,
  description: 'Decodes latents into images, some at a time.',
  required: { samples: link('LATENT'), vae: link('VAE'), per_batch: perBatch },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  async run({ samples: { samples }, vae, per_batch }, context) {
    return { outputs: [await inBatches(samples, per_batch, context, (part) => vae.decode(part))] };
  },
});

export const vhsVaeEncodeBatched = defineNode({
  name: 'VHS_VAEEncodeBatched',
  displayName: 'VAE Encode Batched 🎥🅥🅗🅢',
  category: `${FILM_CATEGORY}/batched nodes`,
  description: 'Encodes images into latents, some at a time. Sides are cropped to multiples of 8 pixels.',
  required: { pixels: link('IMAGE'), vae: link('VAE'), per_batch: perBatch },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  async run({ pixels, vae, per_batch }, context) {
    const samples = await inBatches(pixels, per_batch, context, (part) => vae.encode(rgbOf(part)));
    return { outputs: [{ samples }] };
  },
});

interface Watched {
  readonly signal: AbortSignal;
  readonly progress: (progress: { readonly step: number; readonly totalSteps: number }) => void;
}

async function inBatches(
  source: Tensor,
  perBatch: number,
  { signal, progress }: Watched,
  run: (part: Tensor) => Promise<Tensor>,
): Promise<Tensor> {
  const total = batchOf(source);
  const parts: Tensor[] = [];
  for (let start = 0; start < total; start += perBatch) {
    signal.throwIfAborted();
    const length = Math.min(perBatch, total - start);
    parts.push(await run(takeRows(source, start, length)));
    progress({ step: start + length, totalSteps: total });
  }
  const [first] = parts;
  if (first === undefined) throw new RangeError('there is nothing in the batch');
  const result = tensor([total, ...first.shape.slice(1)]);
  let at = 0;
  for (const { data } of parts) {
    result.data.set(data, at);
    at += data.length;
  }
  return result;
}
