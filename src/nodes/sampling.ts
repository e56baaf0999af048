/** The samplers of everyday workflows (ComfyUI nodes.py, KSampler, KSamplerAdvanced and common_ksampler). */
import { samplerNames } from '../native/samplers.js';
import { schedulerNames } from '../native/addon.js';
import { sample, type KSamplerOptions } from '../sampling/k-sampler.js';
import type { RunContext } from './context.js';
import { combo, defineNode, float, int, link, seed } from './definition.js';
import type { Latent } from './values.js';

const steps = int({
  default: 20,
  min: 1,
  max: 10000,
  tooltip: 'The number of steps used in the denoising process.',
});
const cfg = float({
  default: 8,
  min: 0,
  max: 100,
  step: 0.1,
  round: 0.01,
  tooltip: 'How closely the picture follows the prompt; too much of it costs quality.',
});

type Choices = Omit<KSamplerOptions, 'latent' | 'noiseMask' | 'batchIndex' | 'signal' | 'progress'>;

/** Samples a latent and keeps what else it carries: its noise mask, its rows of the batch. */
async function sampleLatent(latent: Latent, choices: Choices, context: RunContext): Promise<Latent> {
  const { rgbFactors, rgbBias } = choices.model.latentFormat;
  const latentRgb = { factors: rgbFactors, ...(rgbBias !== undefined && { bias: rgbBias }) };
  const samples = await sample({
    ...choices,
    latent: latent.samples,
    noiseMask: latent.noiseMask,
    batchIndex: latent.batchIndex,
    signal: context.signal,
    progress: (step) => {
      context.progress({ ...step, latentRgb });
    },
  });
  return { ...latent, samples };
}

export const kSampler = defineNode({
  name: 'KSampler',
  displayName: 'KSampler',
  category: 'sampling',
  description: 'Uses the provided model, positive and negative conditioning to denoise the latent image.',
  required: {
    model: link('MODEL', { tooltip: 'The model used for denoising the input latent.' }),
    seed: seed({ tooltip: 'The random seed used for creating the noise.' }),
    steps,
    cfg,
    sampler_name: combo(samplerNames, { tooltip: 'The algorithm that goes from noise to picture.' }),
    scheduler: combo(schedulerNames, { tooltip: 'How noise is gradually removed to form the image.' }),
    positive: link('CONDITIONING', { tooltip: 'What the picture should show.' }),
    negative: link('CONDITIONING', { tooltip: 'What the picture should not show.' }),
    latent_image: link('LATENT', { tooltip: 'The latent image to denoise.' }),
    denoise: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'How much of the latent is made anew; lower values keep its structure.',
    }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT', tooltip: 'The denoised latent.' }],
  async run({ sampler_name: samplerName, latent_image: latent, ...rest }, context) {
    return { outputs: [await sampleLatent(latent, { ...rest, samplerName }, context)] };
  },
});

export const kSamplerAdvanced = defineNode({
  name: 'KSamplerAdvanced',
  displayName: 'KSampler (Advanced)',
  category: 'sampling',
  description: 'KSampler over a part of its steps, with or without noise added before and left over after.',
  required: {
    model: link('MODEL'),
    add_noise: combo(['enable', 'disable']),
    noise_seed: seed(),
    steps,
    cfg,
    sampler_name: combo(samplerNames),
    scheduler: combo(schedulerNames),
    positive: link('CONDITIONING'),
    negative: link('CONDITIONING'),
    latent_image: link('LATENT'),
    start_at_step: int({ default: 0, min: 0, max: 10000 }),
    end_at_step: int({ default: 10000, min: 0, max: 10000 }),
    return_with_leftover_noise: combo(['disable', 'enable']),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  async run(inputs, context) {
    const { model, positive, negative, cfg, scheduler, steps } = inputs;
    const choices = {
      model,
      positive,
      negative,
      cfg,
      scheduler,
      steps,
      samplerName: inputs.sampler_name,
      seed: inputs.noise_seed,
      withoutNoise: inputs.add_noise === 'disable',
      startStep: inputs.start_at_step,
      endStep: inputs.end_at_step,
      forceFullDenoise: inputs.return_with_leftover_noise === 'disable',
    };
    return { outputs: [await sampleLatent(inputs.latent_image, choices, context)] };
  },
});
