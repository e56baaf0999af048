/** Model files that loaders read. */
import { statSync } from 'node:fs';
import type { Folders } from '../../models/folders/folders.js';
import type { ModelKind } from '../../models/folders/model-folders.js';

/** Changes when a model file is replaced under the same name, so that its node runs again (ComfyUI keeps the old model). */
export function modelFingerprint(folders: Folders, kind: ModelKind, name: string): string {
  return fileFingerprint(folders.resolve(kind, name));
}

/** The same of a file by its absolute path. */
export function fileFingerprint(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${path} ${size} ${mtimeMs}`;
}
