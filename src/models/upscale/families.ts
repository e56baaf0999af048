import { ModelError } from '../model-error.js';
import { whatItLooksLike } from '../unsupported.js';
import type { WeightSource } from '../weight-source.js';
import { underPrefix } from '../weight-views.js';
import { compact } from './compact.js';
import { esrgan } from './esrgan.js';
import { dat } from './dat.js';
import { hat } from './hat.js';
import { omniSr } from './omnisr.js';
import { plksr } from './plksr.js';
import { span } from './span.js';
import { swin2Sr } from './swin2sr.js';
import { swinIr } from './swinir.js';
import type { UpscaleFamily, UpscaleNetwork } from './network.js';

/** In the order in which they are asked; Compact's keys are the least telling. */
const families: readonly UpscaleFamily[] = [esrgan, span, plksr, dat, hat, swin2Sr, swinIr, omniSr, compact];

/** What a parallel training leaves before every key (spandrel __helpers/canonicalize.py). */
const prefixes = ['module.', 'netG.'];

/** The network that a file holds. Throws `ModelError` when its keys are of no known family. */
export function recogniseUpscaler(file: WeightSource): UpscaleNetwork {
  const weights = prefixes.reduce(
    (source, prefix) =>
      [...source.keys()].every((key) => key.startsWith(prefix)) ? underPrefix(source, prefix) : source,
    file,
  );
  const family = families.find(({ recognises }) => recognises(weights));
  if (family !== undefined) return family.read(weights);
  const known = families.map(({ name }) => name).join(', ');
  throw new ModelError(
    `${file.path} is no upscale model that is known (${known}); it looks like ${whatItLooksLike(weights)}`,
  );
}
