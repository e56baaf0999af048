/**
 * Which family a checkpoint belongs to, by the structure of its denoiser alone (ComfyUI comfy/model_detection.py and
 * comfy/supported_models.py). ComfyUI compares widths as well; here narrow, pruned and distilled models are told by their
 * blocks.
 */
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { ownLayout } from '../transformer/diffusers-layout.js';
import { underPrefix } from '../weights/weight-views.js';
import { whatItLooksLike } from '../files/what-it-looks-like.js';
import type { Family, FamilyModel } from './family.js';
import { auraFlow } from './auraflow.js';
import { chroma } from './chroma.js';
import { flux } from './flux.js';
import { flux2 } from './flux2.js';
import { hiDream } from './hidream.js';
import { lumina2, zImage } from './lumina.js';
import { qwenImage } from './qwen-image.js';
import { sd1 } from './sd1.js';
import { sd2 } from './sd2.js';
import { sd2Unclip } from './sd2-unclip.js';
import { sd3 } from './sd3.js';
import { sdxl } from './sdxl.js';
import { sdxlRefiner } from './sdxl-refiner.js';
import { wan } from './wan.js';
import { unetRelative } from './unet-family.js';

/** Every family, in the order in which they are asked. */
const families: readonly Family[] = [
  sd1,
  sd2,
  sd2Unclip,
  sdxl,
  sdxlRefiner,
  flux,
  flux2,
  chroma,
  lumina2,
  zImage,
  qwenImage,
  sd3,
  wan,
  hiDream,
  auraFlow,
];

/** Where denoisers lie in checkpoints of most trainers, of audio models, and of Cosmos'. */
const denoiserPrefixes = ['model.diffusion_model.', 'model.model.', 'net.'] as const;

/** Keys under a prefix up to which they may be another part's. */
const fewKeys = 5;

/**
 * What a checkpoint holds, or a file of a denoiser alone, under its own keys (or diffusers'), or `model.` as well. Throws `ModelError` saying what
 * the file looks like when it is none that is supported.
 */
export function recogniseCheckpoint(whole: WeightSource): FamilyModel {
  const files = prefixesOf(whole).map((prefix) => ({ whole, denoiser: underPrefix(whole, prefix) }));
  for (const file of files) {
    const family = families.find((each) => each.recognises(file));
    if (family !== undefined) return family.read(file);
  }
  for (const { denoiser } of files) {
    const file = { whole, denoiser: ownLayout(denoiser) ?? denoiser };
    const family = families.find((each) => each.recognises(file));
    if (family !== undefined) return family.read(file);
  }
  const relative = files.map(({ denoiser }) => unetRelative(denoiser)).find((name) => name !== undefined);
  const looksLike = relative ?? whatItLooksLike(whole);
  throw new ModelError(
    `${whole.path} can't be loaded as a checkpoint: it looks like ${looksLike}. Supported are checkpoints of ${listed(families)}, and their inpainting variants`,
  );
}

/** Where a file's denoiser may lie (ComfyUI comfy/model_detection.py, unet_prefix_from_state_dict; comfy/sd.py tries no prefix last). */
function prefixesOf(whole: WeightSource): readonly string[] {
  const counts = denoiserPrefixes.map((prefix) => {
    let count = 0;
    for (const key of whole.keys()) if (key.startsWith(prefix)) count++;
    return count;
  });
  const most = Math.max(...counts);
  return [most > fewKeys ? denoiserPrefixes[counts.indexOf(most)]! : 'model.', ''];
}

/** `A, B and C` */
function listed(all: readonly Family[]): string {
  const titles = all.map(({ title }) => title);
  return `${titles.slice(0, -1).join(', ')} and ${titles.at(-1)}`;
}
