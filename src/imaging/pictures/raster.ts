/** JPEG, WebP, AVIF and the rarer kinds of TIFF through sharp, with Pillow's reading of what sharp would convert otherwise. */
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { loadSharp } from '../load-sharp.js';
import type { Budget } from './budget.js';
import { MAX_PIXELS, PictureError, UnknownPictureError, type Frame } from './frame.js';

const FORMATS = new Set(['jpeg', 'webp', 'heif']);

/** Every frame, turned as its EXIF orientation says. Rejects with `PictureError`; `UnknownPictureError` for other formats. */
export async function decodeRaster(bytes: Buffer, budget: Budget): Promise<Frame[]> {
  const metadata = await metadataOf(bytes);
  if (!FORMATS.has(metadata.format)) throw new UnknownPictureError();
  if (isAvifSequence(bytes)) throw new UnknownPictureError();
  const pages = metadata.format === 'webp' ? (metadata.pages ?? 1) : 1;
  const frames: Frame[] = [];
  for (let page = 0; page < pages; page++) {
    await budget.spend(metadata.width, metadata.pageHeight ?? metadata.height);
    frames.push(await orPictureError(() => readPage(bytes, page, metadata)));
  }
  return frames;
}

async function metadataOf(bytes: Buffer): Promise<Metadata> {
  const sharp = await loadSharp();
  try {
    return await sharp(bytes, { limitInputPixels: MAX_PIXELS }).metadata();
  } catch (cause) {
    if (cause instanceof Error && /unsupported image format/.test(cause.message))
      throw new UnknownPictureError();
    throw asPictureError(cause);
  }
}

/** AVIF of several frames, which sharp doesn't read. */
export function isAvifSequence(bytes: Buffer): boolean {
  return bytes.toString('latin1', 4, 12) === 'ftypavis';
}

/** One page of a TIFF, turned as its EXIF orientation says, as far as it isn't damaged. Rejects with `PictureError`. */
export async function decodePage(bytes: Buffer, page: number): Promise<Frame> {
  return orPictureError(async () => {
    const sharp = await loadSharp();
    return readPage(bytes, page, await sharp(bytes, { limitInputPixels: MAX_PIXELS, page }).metadata());
  });
}

async function readPage(bytes: Buffer, page: number, metadata: Metadata): Promise<Frame> {
  const sharp = await loadSharp();
  // Pillow knows no colour profiles, and takes what there is of a JPEG that is cut off.
  const failOn: SharpOptions['failOn'] = metadata.format === 'jpeg' ? 'none' : 'truncated';
  const picture = sharp(bytes, { page, ignoreIcc: true, failOn, limitInputPixels: MAX_PIXELS }).autoOrient();
  if (metadata.space === 'cmyk') return cmykFrame(picture);
  if (metadata.depth === 'ushort') return deepFrame(picture, metadata);
  const { data, info } = await picture
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    rgba: data,
    alpha: metadata.hasAlpha ? 'channel' : 'none',
  };
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

/** Of 10 to 16 bits a channel, which sharp scales to 16. */
async function deepFrame(picture: Sharp, metadata: Metadata): Promise<Frame> {
  const { data, info } = await picture
    .pipelineColourspace('rgb16')
    .toColourspace('rgb16')
    .ensureAlpha(1)
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const rgba = Float32Array.from(
    { length: info.width * info.height * 4 },
    (_, i) => data.readUInt16LE(i * 2) / 65535,
  );
  return { width: info.width, height: info.height, rgba, alpha: metadata.hasAlpha ? 'channel' : 'none' };
}

async function orPictureError<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    throw asPictureError(cause);
  }
}

function asPictureError(cause: unknown): PictureError {
  if (cause instanceof PictureError) return cause;
  return new PictureError(cause instanceof Error ? cause.message : String(cause), { cause });
}
