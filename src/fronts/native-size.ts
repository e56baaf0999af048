/** What a checkpoint draws best, for requests that say no size. */
import { statSync } from 'node:fs';
import { ModelError } from '../models/model-error.js';
import type { Folders } from '../models/folders/folders.js';
import { openModelFile } from '../models/files/model-file.js';
import { safetensorsWeights } from '../models/files/safetensors-weights.js';

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

const SMALL = 512;
const LARGE = 1024;

/** By path, and when the file was changed. */
const known = new Map<string, { readonly changed: number; readonly side: number }>();

/** From a checkpoint's header alone. A file that can't be read is told by its job. */
export async function nativeSize(folders: Folders, checkpoint: string): Promise<ImageSize> {
  const path = folders.resolve('checkpoints', checkpoint);
  const changed = statSync(path).mtimeMs;
  const found = known.get(path);
  const side = found?.changed === changed ? found.side : await sideOf(path);
  known.set(path, { changed, side });
  return { width: side, height: side };
}

async function sideOf(path: string): Promise<number> {
  // Every family of models comes with it, and few requests want to know.
  const { recogniseCheckpoint } = await import('../models/families/recognise.js');
  try {
    const opened = openModelFile(path);
    try {
      const { description } = recogniseCheckpoint(safetensorsWeights(opened));
      return /^sd[12]\b/.test(description) ? SMALL : LARGE;
    } finally {
      opened.file.close();
    }
  } catch (error) {
    if (error instanceof ModelError) return SMALL;
    throw error;
  }
}
