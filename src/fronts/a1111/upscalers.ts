/** A1111's upscalers: its own two, and networks of the models folder by their file names. */
import { nearestHint } from '../../nearest-names.js';
import { shorten } from '../../safe-text.js';
import type { Link, WorkflowWriter } from '../workflow-writer.js';
import { HttpFault } from './fault.js';
import { baseName, findModel, type ModelListing } from './house.js';

/** modules/shared_items.py, latent_upscale_modes, by what stretches latents here. Upscaling, antialiasing changes nothing. */
export const LATENT_MODES = {
  Latent: 'bilinear',
  'Latent (antialiased)': 'bilinear',
  'Latent (bicubic)': 'bicubic',
  'Latent (bicubic antialiased)': 'bicubic',
  'Latent (nearest)': 'nearest-exact',
  'Latent (nearest-exact)': 'nearest-exact',
} as const;

export const PLAIN_UPSCALERS = ['None', 'Lanczos', 'Nearest'] as const;

export function latentMode(
  name: string | null,
): (typeof LATENT_MODES)[keyof typeof LATENT_MODES] | undefined {
  if (name === null) return LATENT_MODES.Latent;
  return Object.hasOwn(LATENT_MODES, name) ? LATENT_MODES[name as keyof typeof LATENT_MODES] : undefined;
}

/** Enlarges an image, which is brought to its size afterwards. Throws `HttpFault` (422) for an upscaler that isn't there. */
export function upscaleWith(writer: WorkflowWriter, image: Link, name: string, listing: ModelListing): Link {
  if ((PLAIN_UPSCALERS as readonly string[]).includes(name)) return image;
  const file = findModel(listing, 'upscale_models', name);
  if (file === undefined) {
    const names = [...PLAIN_UPSCALERS, ...listing.list('upscale_models').map(baseName)];
    throw new HttpFault(
      422,
      `could not find upscaler named ${JSON.stringify(shorten(name))}${nearestHint(name, names)}`,
    );
  }
  const upscale_model = writer.add('UpscaleModelLoader', { model_name: file });
  return writer.add('ImageUpscaleWithModel', { upscale_model, image });
}

/** How what an upscaler gives is brought to a size. */
export function resizeMethod(name: string): 'lanczos' | 'nearest-exact' {
  return name === 'Nearest' ? 'nearest-exact' : 'lanczos';
}
