/** Sampling put together out of parts (ComfyUI comfy_extras/nodes_custom_sampler.py). */
import { boolean, defineNode, float, link, seed } from '../definition.js';
import { sampleCustom, sampleParts } from './sample-custom.js';

const category = 'model/sampling/custom';
const outputs = [
  { type: 'LATENT', name: 'output', tooltip: 'The sampled latent.' },
  {
    type: 'LATENT',
    name: 'denoised_output',
    tooltip: 'What the model last saw under the noise; the same where nothing was left of it.',
  },
] as const;
const sampler = link('SAMPLER', { tooltip: 'The way from noise to picture.' });
const sigmas = link('SIGMAS', { tooltip: 'The noise levels to visit.' });
const latentImage = link('LATENT', { tooltip: 'The latent image to denoise.' });

export const samplerCustom = defineNode({
  name: 'SamplerCustom',
  displayName: 'SamplerCustom',
  category,
  description: 'Samples a latent with any sampler along any schedule.',
  drawsNoise: true,
  required: {
    model: link('MODEL', { tooltip: 'The model used for denoising the latent.' }),
    add_noise: boolean({ default: true, tooltip: 'Whether noise is put on the latent first.' }),
    noise_seed: seed({ tooltip: 'The random seed.' }),
    cfg: float({
      default: 8,
      min: 0,
      max: 100,
      step: 0.1,
      round: 0.01,
      tooltip: 'How closely the picture follows the prompt; too much of it costs quality.',
    }),
    positive: link('CONDITIONING', { tooltip: 'What the picture should show.' }),
    negative: link('CONDITIONING', { tooltip: 'What the picture should not show.' }),
    sampler,
    sigmas,
    latent_image: latentImage,
  },
  optional: {},
  outputs,
  async run(inputs, context) {
    const noise = { seed: inputs.noise_seed, disabled: !inputs.add_noise };
    return { outputs: await sampleCustom({ ...inputs, noise, latent: inputs.latent_image }, context) };
  },
});

export const samplerCustomAdvanced = defineNode({
  name: 'SamplerCustomAdvanced',
  displayName: 'SamplerCustomAdvanced',
  category,
  description: 'Samples a latent with any noise, guider, sampler and schedule.',
  drawsNoise: true,
  required: {
    noise: link('NOISE', { tooltip: 'The noise to begin with.' }),
    guider: link('GUIDER', { tooltip: 'The model, its prompts and how they guide.' }),
    sampler,
    sigmas,
    latent_image: latentImage,
  },
  optional: {},
  outputs,
  run: async (inputs, context) => ({
    outputs: await sampleParts({ ...inputs, latent: inputs.latent_image }, context),
  }),
});
