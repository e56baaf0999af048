/** Picture files to images and masks (ComfyUI nodes.py, LoadImage). */
import { extname } from 'node:path';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { PictureError, type Frame } from '../../imaging/pictures/frame.js';
import type { Folders } from '../../models/folders/folders.js';
import { readPictureFile } from '../../video/picture-frames.js';
import type { RunContext } from '../context.js';
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

type Frames = readonly [Frame, ...Frame[]];

/** The frames of the first one's size. */
async function framesOf(name: string, { folders, signal }: RunContext): Promise<Frames> {
  try {
    const [first, ...others] = await readPictureFile(folders.resolveInput(name), signal);
    if (first === undefined) throw new PictureError('it holds no picture');
    return [first, ...others.filter(({ width, height }) => width === first.width && height === first.height)];
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    throw new PictureError(`${JSON.stringify(name)} can't be loaded: ${error.message}`, { cause: error });
  }
}

const TOOLTIP = 'A file in the input folder, or NAME [output] and NAME [temp] for other folders.';

/** What LoadImage does, whichever folder its list is of. */
const loading = {
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ] as const,
  fingerprint,
  tellsFingerprint: true,
  async run({ image }: { readonly image: string }, context: RunContext) {
    const frames = await framesOf(image, context);
    const [{ width, height }] = frames;
    const pictures = tensor([frames.length, height, width, 3]);
    frames.forEach(({ rgba }, index) => {
      const into = pictures.data.subarray(index * height * width * 3);
      const whole = wholeOf(rgba);
      for (let pixel = 0; pixel < height * width; pixel++) {
        into[pixel * 3] = rgba[pixel * 4]! / whole;
        into[pixel * 3 + 1] = rgba[pixel * 4 + 1]! / whole;
        into[pixel * 3 + 2] = rgba[pixel * 4 + 2]! / whole;
      }
    });
    return { outputs: [pictures, masksOf(frames)] as const };
  },
};

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
  ...loading,
});

export const loadImageOutput = defineNode({
  name: 'LoadImageOutput',
  displayName: 'Load Image (from Outputs)',
  category: 'image',
  description: 'LoadImage for a picture that a run has saved: NAME [output].',
  required: { image: combo(() => [], { reject: rejectMissing, tooltip: TOOLTIP }) },
  optional: {},
  ...loading,
});

/** 1 where a frame is transparent; black masks of 64×64 where no frame can be. */
function masksOf(frames: Frames): Tensor {
  if (frames.every(({ alpha }) => alpha !== 'channel')) return tensor([frames.length, 64, 64]);
  return channelsOf(frames, (frame) => (frame.alpha === 'channel' ? 3 : undefined));
}

/** What stands for white in a frame. */
function wholeOf(rgba: Frame['rgba']): number {
  return rgba instanceof Uint8Array ? 255 : 1;
}

/** A channel of each frame as a mask, alpha turned round; black for frames without. */
function channelsOf(frames: Frames, channelOf: (frame: Frame) => number | undefined): Tensor {
  const [{ width, height }] = frames;
  const masks = tensor([frames.length, height, width]);
  frames.forEach((frame, index) => {
    const channel = channelOf(frame);
    if (channel === undefined) return;
    const [into, whole] = [masks.data.subarray(index * height * width), wholeOf(frame.rgba)];
    for (let pixel = 0; pixel < width * height; pixel++) {
      const value = frame.rgba[pixel * 4 + channel]! / whole;
      into[pixel] = channel === 3 ? 1 - Math.fround(value) : value;
    }
  });
  return masks;
}

const CHANNELS = ['alpha', 'red', 'green', 'blue'] as const;

export const loadImageMask = defineNode({
  name: 'LoadImageMask',
  displayName: 'Load Image (as Mask)',
  category: 'image',
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
  async run({ image, channel }, context) {
    const frames = await framesOf(image, context);
    // ComfyUI 0.29.0 gives 64×64 where there is no alpha; before it they were of the picture's size, which fits more inputs.
    const index = channel === 'alpha' ? 3 : CHANNELS.indexOf(channel) - 1;
    return { outputs: [channelsOf(frames, () => index)] };
  },
});
