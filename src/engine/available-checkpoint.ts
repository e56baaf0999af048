/** Which checkpoint runs where one is named that isn't there. */
import { constants, copyFileSync, existsSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../make-folder.js';
import type { FamilyModel } from '../models/families/family.js';
import { recogniseCheckpoint } from '../models/families/recognise.js';
import type { Folders } from '../models/folders/folders.js';
import { ModelError } from '../models/model-error.js';
import { openModelFile } from '../models/files/model-file.js';
import { safetensorsWeights } from '../models/files/safetensors-weights.js';
import { STARTER, TEMPLATE_SIDE } from '../models/folders/starter.js';

/** Two folders below the package's root from both src/engine and dist/engine. */
const SHIPPED = fileURLToPath(new URL('../../models', import.meta.url));

/**
 * The first checkpoint by name that draws at the templates' size; failing that the first one that draws from text alone; the
 * starter model last.
 */
export function chooseCheckpoint(folders: Folders): string | undefined {
  let second: string | undefined;
  for (const name of folders.list('checkpoints')) {
    if (name === STARTER.checkpoint) continue;
    const use = checkpointUse(folders, name);
    if (use?.drawsFromText !== true) continue;
    if (use.trainedSide === TEMPLATE_SIDE) return name;
    second ??= name;
  }
  return second ?? folders.list('checkpoints').find((name) => name === STARTER.checkpoint);
}

/** Copies a file of the package's models beside its place and renames it, so that no half of it is ever found there. */
export function putShipped(file: string, models: string): boolean {
  const shipped = join(SHIPPED, file);
  if (!existsSync(shipped)) return false;
  const path = join(models, file);
  const unfinished = `${path}.${process.pid}.part`;
  makeFolder(dirname(path));
  copyFileSync(shipped, unfinished, constants.COPYFILE_FICLONE);
  renameSync(unfinished, path);
  return true;
}

/** What a listed checkpoint is for; undefined for one that can't be used. */
export function checkpointUse(
  folders: Folders,
  name: string,
): Pick<FamilyModel, 'drawsFromText' | 'trainedSide'> | undefined {
  try {
    const opened = openModelFile(folders.resolve('checkpoints', name));
    try {
      return recogniseCheckpoint(safetensorsWeights(opened));
    } finally {
      opened.file.close();
    }
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}
