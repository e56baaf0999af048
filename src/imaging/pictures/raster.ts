/** JPEG, WebP, AVIF and the rarer kinds of TIFF through sharp, with Pillow's reading of what sharp would convert otherwise. */
import type { Metadata, Sharp } from 'sharp';
import { loadSharp } from '../load-sharp.js';
import { MAX_PIXELS, PictureError, type Frame } from './frame.js';

const FORMATS = new Set(['jpeg', 'webp', 'heif']);

/** Every frame or page, turned as its EXIF orientation says. Throws `PictureError` for what can't be read. */
export async function decodeRaster(bytes: Buffer): Promise<Frame[]> {
  const sharp = await loadSharp();
  const metadata = await orPictureError(() => sharp(bytes, { limitInputPixels: MAX_PIXELS }).metadata());
  if (!FORMATS.has(metadata.format)) {
    throw new PictureError(`a picture in the format ${metadata.format} can't be loaded; save it as PNG`);
  }
  const pages = metadata.format === 'webp' ? (metadata.pages ?? 1) : 1;
  const frames: Frame[] = [];
  for (let page = 0; page < pages; page++) {
    frames.push(await orPictureError(() => readPage(bytes, page, metadata)));
  }
  return frames;
}

/** One page, turned as its EXIF orientation says. Rejects with `PictureError`. */
export async function decodePage(bytes: Buffer, page: number): Promise<Frame> {
  return orPictureError(async () => {
    const sharp = await loadSharp();
    return readPage(bytes, page, await sharp(bytes, { limitInputPixels: MAX_PIXELS, page }).metadata());
  });
}

async function readPage(bytes: Buffer, page: number, metadata: Metadata): Promise<Frame> {
  const sharp = await loadSharp();
  // Pillow knows no colour profiles, and gives up on files that are cut off.
  const picture = sharp(bytes, {
    page,
    ignoreIcc: true,
    failOn: 'truncated',
    limitInputPixels: MAX_PIXELS,
  }).autoOrient();
  if (metadata.space === 'cmyk') return cmykFrame(picture);
  if (metadata.space === 'grey16' && !metadata.hasAlpha) return deepGreyFrame(picture);
  const { data, info } = await picture
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgba: data, alpha: metadata.hasAlpha ? 'channel' : 'none' };
}

/** Pillow's plain conversion (libImaging/Convert.c, cmyk2rgb). */
async function cmykFrame(picture: Sharp): Promise<Frame> {
  const { data, info } = await picture
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const rgba = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += 4) {
    const light = 255 - data[at + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const product = data[at + channel]! * light + 128;
      rgba[at + channel] = light - (((product >> 8) + product) >> 8);
    }
    rgba[at + 3] = 255;
  }
  return { width: info.width, height: info.height, rgba, alpha: 'none' };
}

/** 16-bit grey: Pillow 11 and later cut it off at 255 instead of scaling it. */
async function deepGreyFrame(picture: Sharp): Promise<Frame> {
  const { data, info } = await picture
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const rgba = new Uint8Array(info.width * info.height * 4);
  for (let pixel = 0; pixel < info.width * info.height; pixel++) {
    const grey = Math.min(255, data.readUInt16LE(pixel * info.channels * 2));
    rgba.set([grey, grey, grey, 255], pixel * 4);
  }
  return { width: info.width, height: info.height, rgba, alpha: 'none' };
}

async function orPictureError<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof PictureError) throw cause;
    throw new PictureError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
