/** Pictures that clients upload to be edited. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSharp } from '../../imaging/load-sharp.js';
import { OpenAiFault } from './fault.js';
import type { ImageSize } from './request.js';

const FOLDER = 'openai';
const MAX_PIXELS = 178_956_970;
const FORMATS: readonly string[] = ['png', 'jpeg', 'webp'];

export interface GivenPicture extends ImageSize {
  /** As Load Image names it. */
  readonly name: string;
  /** Whether a part of it is transparent. */
  readonly isCut: boolean;
}

/** Keeps a picture where workflows find it. Throws `OpenAiFault` (400) for a file that is none. */
export async function keepPicture(temp: string, bytes: Buffer, param: string): Promise<GivenPicture> {
  const { format, ...facts } = await factsOf(bytes, param);
  const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}.${format}`;
  const folder = join(temp, FOLDER);
  await mkdir(folder, { recursive: true });
  const partial = join(folder, `.${randomUUID()}`);
  await writeFile(partial, bytes);
  await rename(partial, join(folder, name));
  return { name: `${FOLDER}/${name} [temp]`, ...facts };
}

async function factsOf(bytes: Buffer, param: string) {
  const sharp = await loadSharp();
  try {
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS });
    const { format, width, height, hasAlpha } = await picture.metadata();
    if (!FORMATS.includes(format)) throw new Error(`it is ${format}`);
    return { format, width, height, isCut: hasAlpha && !(await picture.stats()).isOpaque };
  } catch {
    throw new OpenAiFault(400, `Invalid image file '${param}': a PNG, JPEG or WebP picture is needed`, {
      param,
      code: 'invalid_image_file',
    });
  }
}
