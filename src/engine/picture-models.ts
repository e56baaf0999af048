/** The models that work on pictures, for programs that have pictures and no workflow. */
import { createProgramCache } from '../models/programs/program-cache.js';
import { createModelStore } from '../models/open-models.js';
import { openFaceTools, type FaceModelNames } from '../models/faces/face-files.js';
import type { FaceTools } from '../models/faces/restore-faces.js';
import type { Upscaler } from '../models/upscale/upscaler.js';
import { chooseBackend } from './choose-backend.js';
import { openFolders, type EngineOptions } from './create-engine.js';

export interface PictureModelOptions extends Pick<
  EngineOptions,
  'folders' | 'threads' | 'memoryLimit' | 'device' | 'backend' | 'notice'
> {
  /** Told what is done differently than asked, as smaller tiles where memory is short. */
  readonly warn?: (message: string) => void;
}

/** Models are opened by name, loaded when the first picture needs them, and kept while there is memory for them. */
export interface PictureModels {
  /** By its name in `upscale_models`, with or without extension. Throws `ModelError`. */
  upscaler(name: string): Upscaler;
  /** What `restoreFaces` needs. Throws `ModelError`, for a missing file with the folders searched and the nearest names. */
  faceTools(names: FaceModelNames): FaceTools;
  /** Frees everything; pictures in work are finished before. */
  dispose(): Promise<void>;
}

/**
 * Upscale models and models for faces, from ComfyUI's and A1111's folders.
 *
 * @example
 * import { openPictureModels, restoreFaces, tensor } from 'latentd';
 *
 * const image = tensor([1, 64, 64, 3]); // red, green and blue in [0, 1]
 * const models = openPictureModels({ folders: { models: '/srv/ComfyUI/models' } });
 * const tools = models.faceTools({ restorer: 'CodeFormer' });
 * const large = await models.upscaler('RealESRGAN_x4plus').upscale(image);
 * const restored = await restoreFaces(large, tools, { fidelity: 0.7 });
 * await models.dispose();
 */
export function openPictureModels(options: PictureModelOptions = {}): PictureModels {
  const { threads, memoryLimit, warn, device = 'cpu' } = options;
  const folders = openFolders(options.folders ?? {});
  const notice = options.notice ?? warn ?? (() => undefined);
  const programs = createProgramCache(
    options.backend ?? chooseBackend(device, threads === undefined ? {} : { threads }, notice),
    memoryLimit === undefined ? {} : { limitBytes: memoryLimit },
  );
  const models = createModelStore({ programs, folders, ...(warn && { warn }) });
  return {
    upscaler: (name) => models.upscaler(folders.resolve('upscale_models', name)),
    faceTools: (names) => openFaceTools({ models, folders }, names),
    dispose: () => programs.dispose(),
  };
}
