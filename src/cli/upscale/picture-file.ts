/** A picture, or an animated one: read, enhanced frame by frame, written with its transparency and colour profile. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Sharp } from 'sharp';
import { tensor } from '../../compute/tensor.js';
import { loadSharp } from '../../imaging/load-sharp.js';
import { PictureError, type Frame } from '../../imaging/pictures/frame.js';
import { encodePng, withColourProfile } from '../../imaging/png.js';
import { makeFolder } from '../../make-folder.js';
import type { FrameProcessor } from '../../video/film.js';
import { fromImage } from '../../video/frames.js';
import { readPictureFile } from '../../video/picture-frames.js';

export const PICTURE_EXTENSIONS: readonly string[] = ['.png', '.jpg', '.jpeg', '.webp'];

const QUALITY = 95;
/** Milliseconds, where the file doesn't say how long its frames are shown. */
const DELAY = 100;

export interface PictureWork {
  readonly input: string;
  readonly output: string;
  readonly process: FrameProcessor;
  readonly signal: AbortSignal;
  /** Told what the output can't hold. */
  readonly onWarning: (text: string) => void;
}

/** Writes the enhanced picture; it appears when it is whole. Rejects with `PictureError` for what can't be read. */
export async function enhancePicture(
  work: PictureWork,
): Promise<{ readonly width: number; readonly height: number }> {
  const { input, output, process, signal } = work;
  const extension = extname(output).toLowerCase();
  const frames = await keptFrames(work, extension);
  const pictures: Enhanced[] = [];
  for (const frame of frames) pictures.push(await enhance(frame, process, signal));
  const { width, height } = pictures[0]!;
  const about = await aboutFile(input);
  const made =
    pictures.length > 1
      ? await animation(pictures, about, work.onWarning)
      : await still(pictures[0]!, about.profile);
  const picture = extension === '.png' || extension === '.webp' ? made : made.removeAlpha();
  makeFolder(dirname(output));
  const unfinished = join(dirname(output), `.latentd-${randomUUID()}${extension}`);
  try {
    await inFormat(picture, extension, pictures.length > 1 ? about : undefined).toFile(unfinished);
    await rename(unfinished, output);
  } finally {
    await rm(unfinished, { force: true });
  }
  return { width, height };
}

/** Those that the output's format can hold. */
async function keptFrames({ input, signal, onWarning }: PictureWork, extension: string): Promise<Frame[]> {
  const [first, ...others] = await readPictureFile(input, signal);
  if (first === undefined) throw new PictureError(`${input} holds no picture`);
  if ((extension === '.jpg' || extension === '.jpeg') && first.alpha !== 'none') {
    onWarning('a JPEG has no transparency; write a .png or .webp to keep it');
  }
  const alike = [
    first,
    ...others.filter(({ width, height }) => width === first.width && height === first.height),
  ];
  if (extension === '.webp' || others.length === 0) {
    if (alike.length <= others.length)
      onWarning(`${others.length + 1 - alike.length} frames of another size are left out`);
    return alike;
  }
  onWarning(`only the first of ${others.length + 1} frames is written; write a .webp to keep them all`);
  return [first];
}

/** RGB, or RGBA for a picture with transparency. */
interface Enhanced {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly data: Uint8Array;
}

async function enhance(
  { width, height, rgba, alpha }: Frame,
  process: FrameProcessor,
  signal: AbortSignal,
): Promise<Enhanced> {
  const whole = rgba instanceof Uint8Array ? 255 : 1;
  const pixels = width * height;
  const colours = tensor([1, height, width, 3]);
  for (let i = 0; i < pixels * 3; i++) {
    colours.data[i] = Math.min(1, Math.max(0, rgba[Math.floor(i / 3) * 4 + (i % 3)]! / whole));
  }
  const image = await process(colours, signal);
  const [, rows, columns] = image.shape as readonly [number, number, number, number];
  const { bytes, width: stride } = fromImage(image, 0, 'rgb24');
  // Frames of films have even sides; a picture has its own.
  const rgb = Buffer.concat(
    Array.from({ length: rows }, (_, y) => bytes.subarray(y * stride * 3, (y * stride + columns) * 3)),
  );
  if (alpha === 'none') return { width: columns, height: rows, channels: 3, data: rgb };
  const sharp = await loadSharp();
  const opacities = Uint8Array.from({ length: pixels }, (_, pixel) =>
    Math.round((rgba[pixel * 4 + 3]! / whole) * 255),
  );
  const large = await sharp(opacities, { raw: { width, height, channels: 1 } })
    .resize(columns, rows, { fit: 'fill' })
    .extractChannel(0)
    .raw()
    .toBuffer();
  const data = new Uint8Array(columns * rows * 4);
  for (let pixel = 0; pixel < columns * rows; pixel++) {
    data.set(rgb.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
    data[pixel * 4 + 3] = large[pixel]!;
  }
  return { width: columns, height: rows, channels: 4, data };
}

/** What a file says beside its pixels. */
interface About {
  readonly profile?: Buffer | undefined;
  /** Milliseconds, a frame each. */
  readonly delays?: readonly number[] | undefined;
  readonly loop?: number | undefined;
}

/** Nothing of a file that sharp doesn't read. */
async function aboutFile(path: string): Promise<About> {
  const sharp = await loadSharp();
  const bytes = await readFile(path);
  return sharp(bytes, { pages: -1 })
    .metadata()
    .then(
      ({ icc, delay, loop }) => ({ profile: icc, delays: delay, loop }),
      () => ({}),
    );
}

async function still(picture: Enhanced, profile: Buffer | undefined): Promise<Sharp> {
  const sharp = await loadSharp();
  const { width, height, channels, data } = picture;
  if (profile === undefined)
    return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  // The profile goes through a file that has it; the pixels stay as they are.
  const png = withColourProfile(await encodePng(picture, { compressionLevel: 0 }), profile);
  return sharp(png, { ignoreIcc: true, limitInputPixels: false }).keepIccProfile();
}

async function animation(
  pictures: readonly Enhanced[],
  { profile }: About,
  onWarning: (text: string) => void,
): Promise<Sharp> {
  if (profile !== undefined) onWarning("an animated picture's colour profile is left out");
  const sharp = await loadSharp();
  const { width, height, channels } = pictures[0]!;
  const data = Buffer.concat(pictures.map((picture) => picture.data));
  return sharp(data, {
    raw: { width, height: height * pictures.length, channels, pageHeight: height },
    limitInputPixels: false,
  });
}

function inFormat(picture: Sharp, extension: string, about: About | undefined): Sharp {
  if (extension === '.png') return picture.png();
  if (extension !== '.webp') return picture.jpeg({ quality: QUALITY });
  if (about === undefined) return picture.webp({ quality: QUALITY });
  return picture.webp({ quality: QUALITY, loop: about.loop ?? 0, delay: [...(about.delays ?? [DELAY])] });
}
