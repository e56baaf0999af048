/** Puts the images of a job together: a sheet of tiles or frames, and a GIF of an animation. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../make-folder.js';
import { loadSharp } from '../imaging/load-sharp.js';
import { chunksOf } from '../imaging/png.js';
import type { SavedFile } from '../nodes/definition.js';
import { claimTogether } from '../nodes/files/output-files.js';
import { withTemporary } from '../nodes/files/temporary-path.js';
import type { Assembly } from './task.js';

const FRAME_MS = 100;

/** Type, thirteen bytes and checksum of a PNG's IHDR chunk. */
const HEADER_LENGTH = 4 + 13 + 4;

/** Writes what is made of these pictures into a folder and returns it, the sheet first. Throws an `Error` when their sizes differ. */
export async function assemble(
  pictures: readonly string[],
  { columns, name, animated }: Assembly,
  folder: string,
): Promise<SavedFile[]> {
  makeFolder(folder);
  const waiting = join(folder, `.latentd-${randomUUID()}`);
  return withTemporary(waiting, async () => {
    await mkdir(waiting);
    const wholes = [join(waiting, 'sheet.png'), ...(animated ? [join(waiting, 'film.gif')] : [])];
    await writeSheet(pictures, columns, wholes[0]!);
    if (animated) await writeGif(pictures, wholes[1]!);
    // Another job may have had the same name.
    const stemAt = (number: number) => (number === 1 ? name : `${name}_${number}`);
    const namesAt = (number: number) => [`${stemAt(number)}_sheet.png`, `${stemAt(number)}.gif`];
    const names = await claimTogether(folder, wholes, namesAt, 1);
    return names
      .slice(0, wholes.length)
      .map((filename) => ({ filename, subfolder: '', type: 'output', path: join(folder, filename) }));
  });
}

/** Lays images of one size out in a grid, row by row, and writes it as PNG with the first one's texts. Throws an `Error` when the sizes differ. */
async function writeSheet(images: readonly string[], columns: number, path: string): Promise<void> {
  const sharp = await loadSharp();
  const sizes = await Promise.all(images.map((image) => sharp(image).metadata()));
  const { width = 0, height = 0 } = sizes[0] ?? {};
  const other = sizes.findIndex((size) => size.width !== width || size.height !== height);
  if (other !== -1) {
    const { width: otherWidth, height: otherHeight } = sizes[other]!;
    throw new Error(
      `a sheet needs images of one size: ${images[0]!} has ${width}x${height}, ` +
        `${images[other]!} ${otherWidth}x${otherHeight}`,
    );
  }
  const rows = Math.ceil(images.length / columns);
  const background = { r: 0, g: 0, b: 0, alpha: 0 };
  const sheet = await sharp({
    create: { width: width * columns, height: height * rows, channels: 4, background },
  })
    .composite(
      images.map((input, index) => ({
        input,
        left: (index % columns) * width,
        top: Math.floor(index / columns) * height,
      })),
    )
    .png()
    .toBuffer();
  await writeFile(path, withTexts(sheet, await readFile(images[0]!)));
}

/** A PNG with the texts of another: the workflow, and with it the seed, that the first image was drawn with. */
function withTexts(png: Buffer, source: Buffer): Buffer {
  const texts = chunksOf(source).filter(({ type }) => type === 'tEXt' || type === 'iTXt');
  const headerEnd = png.indexOf('IHDR') + HEADER_LENGTH;
  return Buffer.concat([
    png.subarray(0, headerEnd),
    ...texts.map(({ bytes }) => bytes),
    png.subarray(headerEnd),
  ]);
}

/** Writes frames as an endless GIF of ten a second. */
async function writeGif(frames: readonly string[], path: string): Promise<void> {
  const sharp = await loadSharp();
  await sharp([...frames], { join: { animated: true } })
    .gif({ delay: frames.map(() => FRAME_MS), loop: 0 })
    .toFile(path);
}
