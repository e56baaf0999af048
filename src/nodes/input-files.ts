/** Files in the input folder that nodes read. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InputFileError, type Folders } from '../models/folders.js';

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
