/** What becomes of each frame: larger by a model, then faces restored. */
import { statSync } from 'node:fs';
import { nearestHint } from '../../nearest-names.js';
import { DETECTOR_NAMES, openFaceTools, type DetectorName } from '../../models/faces/face-files.js';
import { restoreFaces } from '../../models/faces/restore-faces.js';
import { completeName, type Folders } from '../../models/folders/folders.js';
import { STARTER } from '../../models/folders/starter.js';
import type { ModelStore } from '../../models/model-store.js';
import type { FrameProcessor } from '../../video/film.js';
import { UsageError } from '../exit-codes.js';

export interface Enhancer {
  readonly process: FrameProcessor;
  /** Everything that the result of a frame depends on: work is taken up again only where it is the same. */
  readonly identity: unknown;
  /** The upscale model's name, where there is one. */
  readonly model?: string;
}

export interface Enhancing {
  readonly model?: string;
  readonly faces?: string;
  readonly fidelity?: number | undefined;
  readonly detector?: string;
}

interface Place {
  readonly folders: Folders;
  readonly models: ModelStore;
}

/** Opens the models. Throws `UsageError` when there is nothing to do, and `ModelError` for models that can't be used. */
export function openEnhancer(place: Place, wanted: Enhancing): Enhancer {
  const { folders, models } = place;
  const model = modelName(folders, wanted);
  const path = model === undefined ? undefined : folders.resolve('upscale_models', model);
  const upscaler = path === undefined ? undefined : models.upscaler(path);
  const { faces, fidelity } = wanted;
  const detector = detectorName(wanted.detector);
  const tools = faces === undefined ? undefined : openFaceTools(place, { restorer: faces, detector });
  const process: FrameProcessor = async (frame, signal) => {
    const large = upscaler === undefined ? frame : await upscaler.upscale(frame, { signal });
    if (tools === undefined) return large;
    return restoreFaces(large, tools, { signal, ...(fidelity !== undefined && { fidelity }) });
  };
  const upscaling = path === undefined ? undefined : { path, ...stamp(path) };
  return {
    process,
    identity: { upscaling, faces, fidelity, detector: faces === undefined ? undefined : detector },
    ...(model !== undefined && { model }),
  };
}

function stamp(path: string): { readonly size: number; readonly mtimeMs: number } {
  const { size, mtimeMs } = statSync(path);
  return { size, mtimeMs };
}

/** Undefined where the size stays. */
function modelName(folders: Folders, { model, faces }: Enhancing): string | undefined {
  if (model === 'none') {
    if (faces === undefined) throw new UsageError('--model none without --faces leaves nothing to do');
    return undefined;
  }
  const names = folders.list('upscale_models');
  if (model !== undefined) return completeName(names, model) ?? model;
  const first = names.find((name) => name !== STARTER.upscaler) ?? names[0];
  if (first === undefined && faces === undefined) {
    throw new UsageError(
      'there is no model in upscale_models: put one there, or name one with --model (see `latentd models upscale_models`)',
    );
  }
  return first;
}

function detectorName(asked: string | undefined): DetectorName {
  if (asked === undefined) return 'retinaface_resnet50';
  const found = DETECTOR_NAMES.find((name) => name.toLowerCase() === asked.toLowerCase());
  if (found !== undefined) return found;
  throw new UsageError(
    `--detector is one of ${DETECTOR_NAMES.join(', ')}${nearestHint(asked, DETECTOR_NAMES)}`,
  );
}
