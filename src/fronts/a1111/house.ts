/** What a request is translated with: the models that are there, by the names that A1111 has for them. */
import { nearestHint } from '../../nearest-names.js';
import { shorten } from '../../safe-text.js';
import type { Folders } from '../../models/folders/folders.js';
import type { ModelKind } from '../../models/folders/model-folders.js';
import { HttpFault } from './fault.js';

export type ModelListing = Pick<Folders, 'list'>;

/** A1111's title of a checkpoint whose hash isn't known: its file name. A request's may end in `[hash]`. */
export function findModel(listing: ModelListing, kind: ModelKind, name: string): string | undefined {
  const wanted = name.replace(/\s*\[[0-9a-f]+\]$/i, '').replaceAll('\\', '/');
  const names = listing.list(kind);
  const low = wanted.toLowerCase();
  return (
    names.find((each) => each === wanted) ??
    names.find((each) => modelName(each) === wanted || baseName(each) === wanted) ??
    names.find((each) => each.toLowerCase() === low || baseName(each).toLowerCase() === low)
  );
}

/** Throws `HttpFault` (404) with the nearest names. */
export function requireModel(listing: ModelListing, kind: ModelKind, name: string, what: string): string {
  const found = findModel(listing, kind, name);
  if (found !== undefined) return found;
  const hint = nearestHint(name, listing.list(kind).map(modelName));
  throw new HttpFault(404, `${what} not found: ${JSON.stringify(shorten(name))}${hint}`);
}

/** Without its extension; slashes become underscores, as in A1111. */
export function modelName(file: string): string {
  return file.replace(/\.[^./]+$/, '').replaceAll('/', '_');
}

/** Without folders and extension. */
export function baseName(file: string): string {
  return file
    .split('/')
    .at(-1)!
    .replace(/\.[^.]+$/, '');
}
