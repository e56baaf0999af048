/** One picture: read, enhanced, written. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { loadSharp } from '../../imaging/load-sharp.js';
import { decodePicture } from '../../imaging/pictures/decode.js';
import { PictureError } from '../../imaging/pictures/frame.js';
import { makeFolder } from '../../make-folder.js';
import type { FrameProcessor } from '../../video/film.js';
import { fromImage, toImage } from '../../video/frames.js';

export const PICTURE_EXTENSIONS: readonly string[] = ['.png', '.jpg', '.jpeg', '.webp'];

const QUALITY = 95;

/** Writes the enhanced picture, without its transparency; it appears when it is whole. Rejects with `PictureError` for what can't be read. */
export async function enhancePicture(
  input: string,
  output: string,
  process: FrameProcessor,
  signal: AbortSignal,
): Promise<{ readonly width: number; readonly height: number }> {
  const [frame] = await decodePicture(await readFile(input));
  if (frame === undefined) throw new PictureError(`${input} holds no picture`);
  const { width, height, rgba } = frame;
  const bytes = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++)
    bytes.set(rgba.subarray(pixel * 4, pixel * 4 + 3), pixel * 3);
  const image = await process(toImage({ width, height, format: 'rgb24', bytes }), signal);
  const [, rows, columns] = image.shape as readonly [number, number, number, number];
  const made = fromImage(image, 0, 'rgb24');
  const sharp = await loadSharp();
  const extension = extname(output).toLowerCase();
  makeFolder(dirname(output));
  const unfinished = join(dirname(output), `.latentd-${randomUUID()}${extension}`);
  try {
    await sharp(made.bytes, {
      raw: { width: made.width, height: made.height, channels: 3 },
      limitInputPixels: false,
    })
      // Frames of films have even sides; a picture has its own.
      .extract({ left: 0, top: 0, width: columns, height: rows })
      .toFormat(
        extension === '.png' ? 'png' : extension === '.webp' ? 'webp' : 'jpeg',
        extension === '.png' ? {} : { quality: QUALITY },
      )
      .toFile(unfinished);
    await rename(unfinished, output);
  } finally {
    await rm(unfinished, { force: true });
  }
  return { width: columns, height: rows };
}
