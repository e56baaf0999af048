/** A picture with the alpha channel of another (ComfyUI server.py, upload_mask). */
import { readFile } from 'node:fs/promises';
import { loadSharp } from '../../imaging/load-sharp.js';
import { chunksOf, encodePng } from '../../imaging/png.js';
import { BadRequest } from './request-body.js';

const MAX_PIXELS = 2 ** 28;
const TEXT_CHUNKS: ReadonlySet<string> = new Set(['tEXt', 'zTXt', 'iTXt']);
/** Signature and header of a PNG. */
const HEAD_LENGTH = 8 + 25;

/** A PNG, with the texts of the original: its workflow. Throws `BadRequest`. */
export async function maskedPicture(original: string, mask: string): Promise<Buffer> {
  const [picture, alpha] = await Promise.all([rgbaOf(original), rgbaOf(mask)]);
  const { width, height } = picture.info;
  if (alpha.info.width !== width || alpha.info.height !== height) {
    throw new BadRequest(
      `the mask must be as large as the picture: ${width}x${height}, not ${alpha.info.width}x${alpha.info.height}`,
    );
  }
  for (let at = 3; at < picture.data.length; at += 4) picture.data[at] = alpha.data[at]!;
  const png = await encodePng({ width, height, channels: 4, data: picture.data }, { compressionLevel: 4 });
  const texts = chunksOf(await readFile(original)).filter(({ type }) => TEXT_CHUNKS.has(type));
  return Buffer.concat([
    png.subarray(0, HEAD_LENGTH),
    ...texts.map(({ bytes }) => bytes),
    png.subarray(HEAD_LENGTH),
  ]);
}

async function rgbaOf(file: string) {
  const sharp = await loadSharp();
  try {
    return await sharp(file, { limitInputPixels: MAX_PIXELS })
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
  } catch (cause) {
    throw new BadRequest('no picture, or a broken one', 'bad_picture', String(cause));
  }
}
