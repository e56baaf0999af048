/** Pictures of a host: base64, or files in the folders that workflows may read. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { loadSharp } from '../../imaging/load-sharp.js';
import { InputFileError, type Folders } from '../../models/folders/folders.js';
import { shorten } from '../../safe-text.js';
import type { ImageSize } from '../native-size.js';
import { StdioFault } from './fault.js';

const FOLDER = 'worker';
const MAX_PIXELS = 178_956_970;
/** Shorter texts are names of files. */
const LEAST_BASE64 = 64;

export interface HostPicture extends ImageSize {
  /** As Load Image names it. */
  readonly name: string;
}

/** Where a workflow finds a picture, and its size. Throws `StdioFault` for what is none, or lies elsewhere. */
export async function keepPicture(folders: Folders, given: string, field: string): Promise<HostPicture> {
  const bytes = bytesOf(given);
  const name = bytes === undefined ? fileName(folders, given, field) : await keep(folders.temp, bytes);
  const sharp = await loadSharp();
  try {
    const { width, height } = await sharp(folders.resolveInput(name), {
      limitInputPixels: MAX_PIXELS,
    }).metadata();
    return { name, width, height };
  } catch {
    throw new StdioFault('invalid_request', `${field}: it is no picture that can be read`, field);
  }
}

function bytesOf(given: string): Buffer | undefined {
  const data = /^data:image\/[\w.+-]+;base64,/i.exec(given);
  if (data !== null) return Buffer.from(given.slice(data[0].length), 'base64');
  const isBase64 = given.length >= LEAST_BASE64 && /^[A-Za-z0-9+/\s]+=*\s*$/.test(given);
  // A path may look like it; pictures begin otherwise.
  return isBase64 && !given.startsWith('/tmp') && isPicture(Buffer.from(given.slice(0, 32), 'base64'))
    ? Buffer.from(given, 'base64')
    : undefined;
}

function isPicture(head: Buffer): boolean {
  const latin = head.toString('latin1');
  return /^(?:\x89PNG|\xff\xd8\xff|RIFF....WEBP|GIF8|BM|....ftyp|II\*\0|MM\0\*)/s.test(latin);
}

async function keep(temp: string, bytes: Buffer): Promise<string> {
  const name = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  const folder = join(temp, FOLDER);
  await mkdir(folder, { recursive: true });
  const partial = join(folder, `.${randomUUID()}`);
  await writeFile(partial, bytes);
  await rename(partial, join(folder, name));
  return `${FOLDER}/${name} [temp]`;
}

function fileName(folders: Folders, given: string, field: string): string {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(given)) {
    throw new StdioFault(
      'file_not_found',
      `${field}: addresses are not fetched; send base64, or the name of a file`,
      field,
    );
  }
  const name = isAbsolute(given) ? annotated(folders, given) : given;
  try {
    folders.resolveInput(name);
    return name;
  } catch (error) {
    if (!(error instanceof InputFileError)) throw error;
    const { input, output, temp } = folders;
    const where = isAbsolute(given)
      ? `no file ${JSON.stringify(shorten(given))} in ${input}, ${output} or ${temp}`
      : error.message;
    throw new StdioFault('file_not_found', `${field}: ${where}`, field);
  }
}

/** An absolute path below one of the folders, as workflows write it. */
function annotated(folders: Folders, path: string): string {
  for (const kind of ['input', 'output', 'temp'] as const) {
    const way = relative(folders[kind], path);
    if (!way.startsWith('..') && !isAbsolute(way)) return `${way} [${kind}]`;
  }
  return path;
}
