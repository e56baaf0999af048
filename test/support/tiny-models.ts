/** The tiny checkpoints, opened as the engine opens them. */
import { tmpdir } from 'node:os';
import { createOnnxBackend } from '../../src/compute/onnx/backend.js';
import { createFolders } from '../../src/models/folders/folders.js';
import type { Checkpoint } from '../../src/models/model-store.js';
import { createModelStore } from '../../src/models/open-models.js';
import { createProgramCache } from '../../src/models/programs/program-cache.js';
import { syntheticCheckpoint, tinyCheckpoint } from './golden.js';

/** `sd15-inpaint` is `sd15` with the nine input channels of inpainting models. */
export type TinyFamily = 'sd15' | 'sdxl' | 'sd15-inpaint';

/** For all test files: they run in one process, and what one loaded the next may use. */
export const programs = createProgramCache(createOnnxBackend(), { limitBytes: 2 ** 28 });

const folder = tmpdir();
const store = createModelStore({
  programs,
  folders: createFolders({ models: folder, input: folder, output: folder, temp: folder }),
});

export function tinyModels(family: TinyFamily): Checkpoint {
  return store.checkpoint(
    family === 'sd15-inpaint' ? syntheticCheckpoint('sampling/sd15-inpaint') : tinyCheckpoint(family),
  );
}
