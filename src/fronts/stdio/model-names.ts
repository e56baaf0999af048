/** Models as hosts name them: by file, by path, or by the repository that they come from. */
import { basename, isAbsolute, resolve } from 'node:path';
import { nearestHint } from '../../nearest-names.js';
import { shorten } from '../../safe-text.js';
import type { Folders } from '../../models/folders/folders.js';
import type { ModelKind } from '../../models/folders/model-folders.js';
import { StdioFault } from './fault.js';

/** What repositories of diffusers' pipelines are called as single files; both without case, and without the file's extension. */
const REPOSITORIES: Readonly<Record<string, readonly string[]>> = {
  'stabilityai/stable-diffusion-xl-base-1.0': ['sd_xl_base_1.0', 'sd_xl_base_1.0_0.9vae'],
  'stabilityai/stable-diffusion-xl-refiner-1.0': ['sd_xl_refiner_1.0', 'sd_xl_refiner_1.0_0.9vae'],
  'stabilityai/sdxl-turbo': ['sd_xl_turbo_1.0_fp16', 'sd_xl_turbo_1.0'],
  'runwayml/stable-diffusion-v1-5': ['v1-5-pruned-emaonly', 'v1-5-pruned', 'v1-5-pruned-emaonly-fp16'],
  'stable-diffusion-v1-5/stable-diffusion-v1-5': [
    'v1-5-pruned-emaonly',
    'v1-5-pruned',
    'v1-5-pruned-emaonly-fp16',
  ],
  'runwayml/stable-diffusion-inpainting': ['sd-v1-5-inpainting'],
  'stabilityai/stable-diffusion-2-1': ['v2-1_768-ema-pruned', 'v2-1_768-nonema-pruned'],
};

/**
 * The listed name of a model. Folders, extension and case may be left out or differ; a path counts where it is that of a listed file.
 * Throws `StdioFault` with the nearest names.
 */
export function modelName(folders: Folders, kind: ModelKind, wanted: string, field: string): string {
  const names = folders.list(kind);
  const plain = wanted.replaceAll('\\', '/');
  const found = isAbsolute(wanted)
    ? names.find((each) => folders.resolve(kind, each) === resolve(wanted))
    : (names.find((each) => each === plain) ?? byStem(names, plain));
  if (found !== undefined) return found;
  const hint = nearestHint(plain, names, stem);
  const none = names.length === 0 ? `: there are no ${kind} in the models folder` : hint;
  throw new StdioFault(
    'model_not_found',
    `${field}: no model ${JSON.stringify(shorten(wanted))}${none}`,
    field,
  );
}

function byStem(names: readonly string[], wanted: string): string | undefined {
  const low = wanted.toLowerCase();
  const keys = [low, stem(low), basename(low), ...(REPOSITORIES[low] ?? [])];
  for (const key of keys) {
    const found = names.find((each) => {
      const name = each.toLowerCase();
      return [name, stem(name), basename(name), basename(stem(name))].includes(key);
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

function stem(file: string): string {
  return file.replace(/\.(?:safetensors|sft|ckpt|pt|pth|bin|gguf)$/i, '');
}
