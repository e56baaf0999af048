/** Where a pulled file goes: always below the models folder. */
import { join, resolve, sep } from 'node:path';
import { shorten } from '../safe-text.js';
import { PullError } from './pull-error.js';

/** Bytes of a name that file systems keep, `.part.json` included. */
const MAX_NAME_BYTES = 240;

/**
 * The path of `name` (`NAME` or `SUB/NAME`) in `folder` of the models folder. Throws `PullError` for names that lead elsewhere, that
 * are hidden or that no file can have.
 */
export function destination(models: string, folder: string, name: string): string {
  for (const [what, path] of [
    ['folder', folder],
    ['name', name],
  ] as const) {
    const fault = faultOf(path);
    if (fault !== undefined)
      throw new PullError(`${JSON.stringify(shorten(path))} can't be the ${what} of a model: ${fault}`);
  }
  const root = resolve(models);
  const path = join(root, folder, name);
  if (!path.startsWith(root + sep))
    throw new PullError(`${shorten(path)} is not below the models folder ${root}`);
  return path;
}

function faultOf(path: string): string | undefined {
  if (/[\p{Cc}\p{Cf}\\]/u.test(path)) return 'it has characters that names of files should not have';
  for (const part of path.split('/')) {
    if (part === '') return 'it is empty, or has an empty part';
    if (part === '.' || part === '..') return 'it leads out of its folder';
    if (part.startsWith('.')) return 'it would be a hidden file';
    if (Buffer.byteLength(part) > MAX_NAME_BYTES) return `it is longer than ${MAX_NAME_BYTES} bytes`;
  }
  return undefined;
}
