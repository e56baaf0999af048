/** Animated pictures of frames of 8 bits a channel: WebP, and APNG (ComfyUI comfy_api/latest/_ui.py, ImageSaveHelper, which has Pillow write them). */
import type { BytePicture } from './bytes.js';
import { loadSharp } from './load-sharp.js';
import { chunk, chunksOf, encodePng } from './png.js';

export interface AnimatedWebpOptions {
  /** Milliseconds a frame. */
  readonly delay: number;
  readonly lossless: boolean;
  /** 0 to 100. */
  readonly quality: number;
  /** libwebp's method, 0 (fast) to 6 (small). */
  readonly effort: number;
  /** JSON texts by key, `prompt` first: EXIF's Model has it, as `prompt:JSON`, and the tags below it the others. */
  readonly texts: Readonly<Record<string, string>>;
}

/** EXIF's tags from 0x0110 down, by the names that sharp knows. */
const TEXT_TAGS = ['Model', 'Make', 'ImageDescription', 'DocumentName'] as const;

/** Frames of one size, shown for ever. */
export async function encodeAnimatedWebp(
  frames: readonly BytePicture[],
  { delay, lossless, quality, effort, texts }: AnimatedWebpOptions,
): Promise<Buffer> {
  const { width, height, channels } = frames[0]!;
  const sharp = await loadSharp();
  const raw = {
    width,
    height: height * frames.length,
    channels: channels === 4 ? 4 : 3,
    ...(frames.length > 1 && { pageHeight: height }),
  } as const;
  const keys = ['prompt', ...Object.keys(texts).filter((key) => key !== 'prompt')];
  const tags = TEXT_TAGS.flatMap((tag, index): [string, string][] => {
    const key = keys[index];
    const text = key === undefined ? undefined : texts[key];
    return key === undefined || text === undefined ? [] : [[tag, `${key}:${text}`]];
  });
  const webp = sharp(Buffer.concat(frames.map(({ data }) => data)), { raw, limitInputPixels: false }).webp({
    lossless,
    quality,
    effort,
    loop: 0,
    delay: frames.map(() => delay),
  });
  return (tags.length === 0 ? webp : webp.withExif({ IFD0: Object.fromEntries(tags) })).toBuffer();
}

export interface AnimatedPngOptions {
  /** Milliseconds a frame. */
  readonly delay: number;
  /** zlib's, 0 to 9. */
  readonly compressionLevel: number;
  /** JSON texts by key, in chunks of ComfyUI's own, `comf`. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Frames of one size, shown for ever; of a single one, a plain PNG. */
export async function encodeAnimatedPng(
  frames: readonly BytePicture[],
  { delay, compressionLevel, texts }: AnimatedPngOptions,
): Promise<Buffer> {
  const encoded: Buffer[] = [];
  for (const frame of frames) encoded.push(await encodePng(frame, { compressionLevel }));
  const [first = Buffer.alloc(0)] = encoded;
  const { width, height } = frames[0]!;
  const animated = frames.length > 1;
  let sequence = 0;
  const control = (): Buffer => {
    const body = Buffer.alloc(26);
    body.writeUInt32BE(sequence++, 0);
    body.writeUInt32BE(width, 4);
    body.writeUInt32BE(height, 8);
    body.writeUInt16BE(Math.min(delay, 0xffff), 20);
    body.writeUInt16BE(1000, 22);
    return chunk('fcTL', body);
  };
  const picture = (png: Buffer) => chunksOf(png).filter(({ type }) => type === 'IDAT');
  const count = Buffer.alloc(8);
  count.writeUInt32BE(frames.length, 0);
  const header = chunksOf(first).filter(({ type }) => type !== 'IDAT' && type !== 'IEND');
  const parts = [
    ...header.map(({ bytes }) => bytes),
    ...(animated ? [chunk('acTL', count), control()] : []),
    ...picture(first).map(({ bytes }) => bytes),
  ];
  for (const png of encoded.slice(1)) {
    parts.push(control());
    for (const { body } of picture(png)) {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(sequence++, 0);
      parts.push(chunk('fdAT', Buffer.concat([number, body])));
    }
  }
  for (const [key, text] of Object.entries(texts))
    parts.push(chunk('comf', Buffer.from(`${key}\0${text}`, 'latin1')));
  return Buffer.concat([first.subarray(0, 8), ...parts, chunk('IEND', Buffer.alloc(0))]);
}
