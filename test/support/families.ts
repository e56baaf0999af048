import { join } from 'node:path';
import type { FamilyModel } from '../../src/models/families/family.js';
import { recogniseCheckpoint } from '../../src/models/families/recognise.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../src/models/files/safetensors-weights.js';
import { writeHollowCheckpoint } from './models.js';
import type { Manifest } from './synthetic.js';

export function recogniseFile(path: string): FamilyModel {
  return recogniseCheckpoint(safetensorsWeights(openSafetensors(path)));
}

/** What a checkpoint of these keys and shapes, written to `folder`, is taken for. */
export function recogniseKeys(folder: string, manifest: Manifest): FamilyModel {
  const path = join(folder, 'model.safetensors');
  writeHollowCheckpoint(manifest, path);
  return recogniseFile(path);
}
