import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import { toModelSpace } from '../denoiser/latent-format.js';
import { methodNumber } from '../transformer/references.js';

/** Latents of reference pictures, N×C×[F×]h×w each, of any size; and how they are placed, where the conditioning says. */
export const referencePictures: readonly DenoiserInput[] = [
  {
    name: 'references',
    kind: 'rows',
    prepare: ({ referenceLatents }, { latentFormat }) =>
      referenceLatents?.map((latent) => toModelSpace(latentFormat, latent)),
  },
  {
    name: 'reference_method',
    kind: 'constant',
    prepare: ({ referenceMethod }) =>
      referenceMethod === undefined ? undefined : methodNumber(referenceMethod),
  },
];
