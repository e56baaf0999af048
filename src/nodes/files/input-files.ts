/** Files in the input folder that nodes read. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { InputFileError, type Folders } from '../../models/folders/folders.js';

/** Why a file named by a workflow can't be taken, if so. */
export function rejectMissing(name: string, folders: Folders): string | undefined {
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
