/** Picture files to images and masks (ComfyUI nodes.py, LoadImage). */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { decodePicture } from '../../imaging/pictures/decode.js';
import { PictureError, type Frame } from '../../imaging/pictures/frame.js';
import type { Folders } from '../../models/folders.js';
import { combo, defineNode } from '../definition.js';
import { contentHash, rejectMissing } from '../files/input-files.js';

/** The extensions that Python's `mimetypes` calls images. */
const IMAGE_EXTENSIONS = new Set(
  '.apng .avif .bmp .gif .heic .heif .ief .ico .jfif .jpe .jpeg .jpg .png .svg .tif .tiff .webp'.split(' '),
);

/** Changes with the file's content. */
function fingerprint({ image }: { readonly image: string }, folders: Folders): string {
  return contentHash(folders.resolveInput(image));
}

async function framesOf(name: string, folders: Folders): Promise<readonly [Frame, ...Frame[]]> {
  try {
    const [first, ...others] = await decodePicture(await readFile(folders.resolveInput(name)));
    if (first === undefined) throw new PictureError('it holds no picture');
    return [first, ...others];
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    throw new PictureError(`${JSON.stringify(name)} can't be loaded: ${error.message}`, { cause: error });
  }
}

const TOOLTIP = 'A file in the input folder, or NAME [output] and NAME [temp] for other folders.';

export const loadImage = defineNode({
  name: 'LoadImage',
  displayName: 'Load Image',
  category: 'image',
  description:
    'Loads a picture, or each frame of an animated one; the mask is white where it is transparent.',
  required: {
    image: combo(
      (folders) => folders.listInput().filter((name) => IMAGE_EXTENSIONS.has(extname(name).toLowerCase())),
      { reject: rejectMissing, tooltip: TOOLTIP },
    ),
  },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ],
  fingerprint,
  tellsFingerprint: true,
  async run({ image }, { folders }) {
    const [first, ...others] = await framesOf(image, folders);
    const { width, height } = first;
    const alike = others.filter((frame) => frame.width === width && frame.height === height);
    const frames = [first, ...alike] as const;
    const pictures = tensor([frames.length, height, width, 3]);
    frames.forEach(({ rgba }, index) => {
      const into = pictures.data.subarray(index * height * width * 3);
      for (let pixel = 0; pixel < height * width; pixel++) {
        into[pixel * 3] = rgba[pixel * 4]! / 255;
        into[pixel * 3 + 1] = rgba[pixel * 4 + 1]! / 255;
        into[pixel * 3 + 2] = rgba[pixel * 4 + 2]! / 255;
      }
    });
    return { outputs: [pictures, masksOf(frames)] };
  },
});

/** 1 where a frame is transparent; black masks of 64×64 where no frame can be. */
function masksOf(frames: readonly [Frame, ...Frame[]]): Tensor {
  if (frames.every(({ alpha }) => alpha !== 'channel')) return tensor([frames.length, 64, 64]);
  const { width, height } = frames[0];
  const masks = tensor([frames.length, height, width]);
  frames.forEach((frame, index) => {
    if (frame.alpha === 'channel') masks.data.set(channelOf(frame, 3, invertedShare), index * height * width);
  });
  return masks;
}

const share = (byte: number) => byte / 255;
const invertedShare = (byte: number) => 1 - Math.fround(byte / 255);

function channelOf({ rgba }: Frame, channel: number, value: (byte: number) => number): Float32Array {
  const values = new Float32Array(rgba.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = value(rgba[i * 4 + channel]!);
  return values;
}

const CHANNELS = ['alpha', 'red', 'green', 'blue'] as const;

export const loadImageMask = defineNode({
  name: 'LoadImageMask',
  displayName: 'Load Image (as Mask)',
  category: 'mask',
  description:
    'Loads one channel of a picture as a mask; alpha is turned around, so that transparent is white.',
  required: {
    image: combo((folders) => folders.listInput(), { reject: rejectMissing, tooltip: TOOLTIP }),
    channel: combo(CHANNELS, { tooltip: 'The channel to take.' }),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  fingerprint,
  tellsFingerprint: true,
  async run({ image, channel }, { folders }) {
    const [frame] = await framesOf(image, folders);
    const values =
      channel === 'alpha'
        ? channelOf(frame, 3, invertedShare)
        : channelOf(frame, CHANNELS.indexOf(channel) - 1, share);
    return { outputs: [tensor([1, frame.height, frame.width], values)] };
  },
});
