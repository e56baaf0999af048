/** Pictures and films chosen at random or by likeness for data sets (ComfyUI comfy_extras/nodes_dataset.py). */
import type { Tensor } from '../../compute/tensor.js';
import { inBytes, toPicture } from '../../imaging/bytes.js';
import { rgbOf } from '../../imaging/channels.js';
import { pillowResize } from '../../imaging/pillow-resize.js';
import { crop, IMAGE_ROWS } from '../../imaging/planes.js';
import { NumpyRandomState } from '../../python/numpy-random-state.js';
import { defineNode, float, int, link, seed, string } from '../definition.js';

const images = link('IMAGE', { tooltip: 'The images.' });
const videos = link('VIDEO', { tooltip: 'The films.' });
const chosenBy = seed({ tooltip: 'What the order comes from.' });
const imageList = { type: 'IMAGE', name: 'images', isList: true } as const;
const videoList = { type: 'VIDEO', name: 'videos', isList: true } as const;
const textList = { type: 'STRING', name: 'texts', isList: true } as const;

/** NumPy takes seeds below 2³² − 1. */
function numpyRandom(given: bigint): NumpyRandomState {
  return new NumpyRandomState(Number(given % 0xffffffffn));
}

function shuffled<Item>(items: readonly Item[], order: readonly number[]): Item[] {
  return order.map((index) => {
    if (index < items.length) return items[index]!;
    throw new RangeError(`there are ${items.length} texts for ${order.length} others: give one for each`);
  });
}

export const shuffleDataset = defineNode({
  name: 'ShuffleDataset',
  displayName: 'Shuffle Images List',
  category: 'image/batch',
  description: 'A list of images in another order.',
  inputIsList: true,
  required: { images, seed: chosenBy },
  optional: {},
  outputs: [imageList],
  run: ({ images: given, seed: [by] }) => ({
    outputs: [shuffled(given, numpyRandom(by!).permutation(given.length))],
  }),
});

export const shuffleImageTextDataset = defineNode({
  name: 'ShuffleImageTextDataset',
  displayName: 'Shuffle Pairs of Image-Text',
  category: 'image/batch',
  description: 'A list of images in another order, and their texts with them.',
  inputIsList: true,
  required: { images, texts: string({ forceInput: true, tooltip: 'Their texts.' }), seed: chosenBy },
  optional: {},
  outputs: [imageList, textList],
  run({ images: given, texts, seed: [by] }) {
    const order = numpyRandom(by!).permutation(given.length);
    return { outputs: [shuffled(given, order), shuffled(texts, order)] };
  },
});

export const shuffleVideoDataset = defineNode({
  name: 'ShuffleVideoDataset',
  displayName: 'Shuffle Videos List',
  category: 'video/batch',
  description: 'A list of films in another order.',
  inputIsList: true,
  required: { videos, seed: chosenBy },
  optional: {},
  outputs: [videoList],
  run: ({ videos: given, seed: [by] }) => ({
    outputs: [shuffled(given, numpyRandom(by!).permutation(given.length))],
  }),
});

export const shuffleVideoTextDataset = defineNode({
  name: 'ShuffleVideoTextDataset',
  displayName: 'Shuffle Pairs of Video-Text',
  category: 'dataset/video',
  description: 'A list of films in another order, and their texts with them.',
  inputIsList: true,
  required: { videos, texts: string({ tooltip: 'Their texts.' }), seed: chosenBy },
  optional: {},
  outputs: [videoList, textList],
  run({ videos: given, texts, seed: [by] }) {
    const order = numpyRandom(by!).permutation(given.length);
    return { outputs: [shuffled(given, order), shuffled(texts, order)] };
  },
});

const side = (tooltip: string) => int({ default: 512, min: 1, max: 8192, tooltip });

export const randomCropImages = defineNode({
  name: 'RandomCropImages',
  displayName: 'Crop Image (Random)',
  category: 'image/transform',
  description: 'A part of images, from anywhere.',
  required: { images, width: side('Pixels.'), height: side('Pixels.'), seed: chosenBy },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'images' }],
  run({ images: given, width, height, seed: by }) {
    const random = numpyRandom(by);
    const [, ownHeight, ownWidth] = given.shape as readonly [number, number, number];
    const place = (extent: number, part: number): number =>
      extent > part ? random.below(extent - part + 1) : 0;
    const x = place(ownWidth, width);
    const y = place(ownHeight, height);
    const size = { width: Math.min(width, ownWidth), height: Math.min(height, ownHeight) };
    return { outputs: [inBytes(crop(given, IMAGE_ROWS, { x, y, ...size }))] };
  },
});

const hashSide = 8;

/** Of 8×8 grey pixels, which are brighter than their mean. */
function perceptualHash(image: Tensor): boolean[] {
  const small = toPicture(pillowResize(rgbOf(image), 'LANCZOS', hashSide, hashSide), 0).data;
  const grey = Array.from({ length: hashSide * hashSide }, (_, at) => {
    const [red = 0, green = 0, blue = 0] = small.subarray(at * 3, at * 3 + 3);
    // Pillow's L24.
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  });
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  return grey.map((value) => value > mean);
}

export const imageDeduplication = defineNode({
  name: 'ImageDeduplication',
  displayName: 'Deduplicate Images',
  category: 'image/batch',
  description: 'A list of images without those that are much like one before them.',
  inputIsList: true,
  required: {
    images,
    similarity_threshold: float({
      default: 0.95,
      min: 0,
      max: 1,
      tooltip: 'The share of 64 bits of an image that are the same where it is much like another.',
    }),
  },
  optional: {},
  outputs: [imageList],
  run({ images: given, similarity_threshold: [threshold] }) {
    const kept: { readonly image: Tensor; readonly hash: readonly boolean[] }[] = [];
    for (const image of given) {
      const hash = perceptualHash(image);
      const isLike = (other: readonly boolean[]): boolean =>
        1 - hash.filter((bit, at) => bit !== other[at]).length / hash.length >= threshold!;
      if (!kept.some((each) => isLike(each.hash))) kept.push({ image, hash });
    }
    return { outputs: [kept.map(({ image }) => image)] };
  },
});
