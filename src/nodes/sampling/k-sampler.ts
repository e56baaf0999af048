/** The samplers of everyday workflows (ComfyUI nodes.py, KSampler, KSamplerAdvanced and common_ksampler). */
import { samplerNames } from '../../native/samplers.js';
import { schedulerNames } from '../../native/addon.js';
import { combo, defineNode, float, int, link, seed } from '../definition.js';
import { sampleLatent } from './sample-latent.js';

const steps = int({
  default: 20,
  min: 1,
  max: 10000,
  tooltip: 'Steps of the schedule; more take longer and settle the picture.',
});
const cfg = float({
  default: 8,
  min: 0,
  max: 100,
  step: 0.1,
  round: 0.01,
  tooltip:
    'How closely the picture follows the prompt; too much of it costs quality, 1 leaves the negative out.',
});

const inputs = {
  model: link('MODEL', { tooltip: 'The model that predicts the denoised latent.' }),
  samplerName: combo(samplerNames, { tooltip: 'The algorithm that goes from noise to picture.' }),
  scheduler: combo(schedulerNames, { tooltip: 'How the noise levels are spread over the steps.' }),
  positive: link('CONDITIONING', { tooltip: 'What the picture should show.' }),
  negative: link('CONDITIONING', { tooltip: 'What the picture should not show.' }),
  seed: seed({ tooltip: 'The same seed gives the same noise.' }),
};

export const kSampler = defineNode({
  name: 'KSampler',
  displayName: 'KSampler',
  category: 'model/sampling',
  drawsNoise: true,
  description: 'Makes latents out of noise, or changes given ones, step by step as the prompts say.',
  required: {
    model: inputs.model,
    seed: inputs.seed,
    steps,
    cfg,
    sampler_name: inputs.samplerName,
    scheduler: inputs.scheduler,
    positive: inputs.positive,
    negative: inputs.negative,
    latent_image: link('LATENT', {
      tooltip: 'The latents to start from; empty ones for pictures out of noise alone.',
    }),
    denoise: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'How much of the latent is made anew; lower values keep its structure.',
    }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT', tooltip: 'The denoised latents.' }],
  async run({ sampler_name: samplerName, latent_image: latent, ...rest }, context) {
    return { outputs: [await sampleLatent(latent, { ...rest, samplerName }, context)] };
  },
});

export const kSamplerAdvanced = defineNode({
  name: 'KSamplerAdvanced',
  displayName: 'KSampler (Advanced)',
  category: 'model/sampling',
  drawsNoise: true,
  description: 'KSampler over a part of its steps, with or without noise added before and left over after.',
  required: {
    model: inputs.model,
    add_noise: combo(['enable', 'disable'], {
      tooltip: 'disable when an earlier sampler has left noise in the latents.',
    }),
    noise_seed: inputs.seed,
    steps,
    cfg,
    sampler_name: inputs.samplerName,
    scheduler: inputs.scheduler,
    positive: inputs.positive,
    negative: inputs.negative,
    latent_image: link('LATENT', { tooltip: 'The latents to start from.' }),
    start_at_step: int({ default: 0, min: 0, max: 10000, tooltip: 'The first step to do.' }),
    end_at_step: int({ default: 10000, min: 0, max: 10000, tooltip: 'The step before which to end.' }),
    return_with_leftover_noise: combo(['disable', 'enable'], {
      tooltip: 'enable leaves the noise of an early end in, for another sampler.',
    }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  async run(given, context) {
    const { model, positive, negative, cfg, scheduler, steps } = given;
    const choices = {
      model,
      positive,
      negative,
      cfg,
      scheduler,
      steps,
      samplerName: given.sampler_name,
      seed: given.noise_seed,
      withoutNoise: given.add_noise === 'disable',
      startStep: given.start_at_step,
      endStep: given.end_at_step,
      forceFullDenoise: given.return_with_leftover_noise === 'disable',
    };
    return { outputs: [await sampleLatent(given.latent_image, choices, context)] };
  },
});
