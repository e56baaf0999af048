/**
 * Folders on the way to a path. Node's own recursive `mkdir` never returns below a folder in which nothing can be made though
 * it is there, as `/proc`.
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Makes a folder and those above it that are missing. Throws Node's `Error` for the one that can't be made. */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const missing: string[] = [];
  for (let folder = resolve(path); !isMade(folder); folder = dirname(folder)) missing.push(folder);
  for (const folder of missing.reverse()) makeOne(folder);
}

/** False where a folder above is missing. */
function isMade(folder: string): boolean {
  try {
    makeOne(folder);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && dirname(folder) !== folder) return false;
    throw error;
  }
}

function makeOne(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // A link to nowhere throws here.
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is not a folder`, { cause: error });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
