/**
 * Which family a checkpoint belongs to, by the structure of its denoiser alone (ComfyUI comfy/model_detection.py and
 * comfy/supported_models.py). ComfyUI compares widths as well; here narrow, pruned and distilled models are told by their
 * blocks.
 */
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weight-source.js';
import { underPrefix } from '../weight-views.js';
import { whatItLooksLike } from '../what-it-looks-like.js';
import type { Family, FamilyModel } from './family.js';
import { sd1 } from './sd1.js';
import { sd2 } from './sd2.js';
import { sdxl } from './sdxl.js';
import { sdxlRefiner } from './sdxl-refiner.js';
import { unetRelative } from './unet-family.js';

/** Every family, in the order in which they are asked. */
const families: readonly Family[] = [sd1, sd2, sdxl, sdxlRefiner];

const denoiserPrefix = 'model.diffusion_model.';

/** What a checkpoint holds. Throws `ModelError` saying what the file looks like when it is none that is supported. */
export function recogniseCheckpoint(whole: WeightSource): FamilyModel {
  const file = { whole, denoiser: underPrefix(whole, denoiserPrefix) };
  const family = families.find((each) => each.recognises(file));
  if (family !== undefined) return family.read(file);
  const looksLike = unetRelative(file.denoiser) ?? whatItLooksLike(whole);
  throw new ModelError(
    `${whole.path} can't be loaded as a checkpoint: it looks like ${looksLike}. Supported are checkpoints of ${listed(families)}, and their inpainting variants`,
  );
}

/** `A, B and C` */
function listed(all: readonly Family[]): string {
  const titles = all.map(({ title }) => title);
  return `${titles.slice(0, -1).join(', ')} and ${titles.at(-1)}`;
}
