/** The noise that sampling starts from (ComfyUI comfy_extras/nodes_custom_sampler.py). */
import { mapValues } from '../../imaging/tensor-ops.js';
import { fromModelSpace, toModelSpace } from '../../models/denoiser/latent-format.js';
import { drawNoise } from '../../sampling/noise.js';
import { addNoise as withNoise } from '../../sampling/prediction.js';
import { defineNode, link, seed } from '../definition.js';

const category = 'model/sampling/noise';
const outputs = [{ type: 'NOISE', name: 'NOISE' }] as const;

export const randomNoise = defineNode({
  name: 'RandomNoise',
  displayName: 'RandomNoise',
  category,
  description: 'The noise of a seed, as KSampler draws it.',
  required: { noise_seed: seed({ tooltip: 'The random seed.' }) },
  optional: {},
  outputs,
  run: ({ noise_seed }) => ({ outputs: [{ seed: noise_seed }] }),
});

export const disableNoise = defineNode({
  name: 'DisableNoise',
  displayName: 'DisableNoise',
  category,
  description:
    'No noise: sampling starts from the latent as it is. Samplers that add noise do so with seed 0.',
  required: {},
  optional: {},
  outputs,
  run: () => ({ outputs: [{ seed: 0n, disabled: true }] }),
});

export const addNoise = defineNode({
  name: 'AddNoise',
  displayName: 'AddNoise',
  category: 'model/sampling/noise',
  description: 'Puts noise on a latent: as much as lies between the first and the last level of a schedule.',
  required: {
    model: link('MODEL', { tooltip: 'The model that the latent is for.' }),
    noise: link('NOISE', { tooltip: 'The noise to add.' }),
    sigmas: link('SIGMAS', { tooltip: 'The schedule; with one level, that much noise.' }),
    latent_image: link('LATENT', { tooltip: 'The latent to add it to.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ model, noise: source, sigmas, latent_image: latent }) {
    const first = sigmas[0];
    if (first === undefined) return { outputs: [latent] };
    const scale = sigmas.length === 1 ? first : Math.abs(Math.fround(first - sigmas.at(-1)!));
    const { samples, batchIndex } = latent;
    const { noise, random } = drawNoise(source, samples.shape, batchIndex, latent.random);
    const isEmpty = samples.data.every((value) => value === 0);
    const noised = withNoise(isEmpty ? samples : toModelSpace(model.latentFormat, samples), noise, scale);
    const finite = mapValues(fromModelSpace(model.latentFormat, noised), (value) =>
      Number.isFinite(value) ? value : 0,
    );
    return { outputs: [{ ...latent, samples: finite, random }] };
  },
});
