/** Files in the input folder that nodes read. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { shorten } from '../../safe-text.js';
import { objectName } from '../../store/object-name.js';
import { InputFileError, type Folders } from '../../models/folders/folders.js';

/** What workflows of other programs name instead of a file. */
const ELSEWHERE: readonly (readonly [form: RegExp, what: string])[] = [
  [/^(https?|ftp|s3|gs):\/\//i, 'an address, which is not fetched from here'],
  [/^data:/i, 'the data of a file, not its name'],
  [/^([a-z]:[\\/]|\\\\)/i, 'a path of another machine'],
];
const MAX_SHOWN = 120;

/** Why a file named by a workflow can't be taken, if so. */
export function rejectMissing(name: string, folders: Folders): string | undefined {
  const object = objectName(name);
  if (object !== undefined && folders.buckets !== undefined && folders.buckets.length > 0) {
    // Whether it is there is asked when it is fetched.
    if (folders.buckets.includes(object.bucket)) return undefined;
    return `${JSON.stringify(shorten(name, MAX_SHOWN))} is in a bucket that may not be read; there are ${folders.buckets.join(', ')} (--input-bucket)`;
  }
  const elsewhere = ELSEWHERE.find(([form]) => form.test(name));
  if (elsewhere !== undefined) {
    const where = `put the file into the input folder ${folders.input} and name it there`;
    return `${JSON.stringify(shorten(name, MAX_SHOWN))} is ${elsewhere[1]}: ${where}`;
  }
  try {
    folders.resolveInput(name);
    return undefined;
  } catch (error) {
    if (error instanceof InputFileError) return error.message;
    throw error;
  }
}

/** SHA-256 of a file's content. */
export function contentHash(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/**
 * A file of the input folder as VideoHelperSuite's nodes name it: with quotes and spaces around it, absolute, or from ComfyUI's own folder
 * on, as `input/NAME`. Throws `InputFileError`.
 */
export function resolveFilmPath(path: string, folders: Folders): string {
  const name = path.trim().replace(/^"|"$/g, '');
  if (isAbsolute(name)) return folders.resolveInput(relative(folders.input, name));
  const inside = /^(?:\.\/)?input\/(.+)$/s.exec(name)?.[1];
  const taken = inside !== undefined && !existsSync(join(folders.input, name)) ? inside : name;
  return folders.resolveInput(taken);
}

/** Changes when the file does. */
export function fileStamp(path: string): string {
  const { mtimeMs, size } = statSync(path);
  return `${path} ${mtimeMs} ${size}`;
}

const MAX_TEXT = 16 * 2 ** 20;

/** A text file of UTF-8. Throws `InputFileError` for one of more than 16 MiB, or that is no text. */
export async function readInputText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MAX_TEXT) {
    throw new InputFileError(`${path} has ${size} bytes; a text may have ${MAX_TEXT}`);
  }
  const bytes = await readFile(path);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new InputFileError(`${path} is no text: it isn't UTF-8`, { cause: error });
  }
}
