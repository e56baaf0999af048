/** Samplers that take pipes, and samplers as values (modules/impact/special_samplers.py). */
import {
  boolean,
  defineNode,
  int,
  link,
  mapValues,
  conditioningConcat,
  type Conditioning,
  type CustomType,
  type Latent,
  type RunContext,
} from '../../public.js';
import { BASIC_PIPE } from './basic-pipe.js';
import { basicPipe, cfg, denoise, noiseSeed, schedule, scheduleOption, steps } from './sampler-inputs.js';
import { sampleEnd, samplePart } from './sampling.js';

/** Samples a latent by what it was made with. */
export type LatentSampler = (latent: Latent, context: RunContext) => Promise<Latent>;

const KSAMPLER = 'KSAMPLER' as CustomType<LatentSampler>;

const latentImage = link('LATENT', { tooltip: 'The latent to start from.' });
const pipeOutputs = [
  { type: BASIC_PIPE, name: 'BASIC_PIPE' },
  { type: 'LATENT', name: 'LATENT' },
  { type: 'VAE', name: 'VAE' },
] as const;
const piped = { category: 'ImpactPack/sampling', drawsNoise: true };

export const kSamplerBasicPipe = defineNode({
  ...piped,
  name: 'ImpactKSamplerBasicPipe',
  displayName: 'KSampler (pipe)',
  description: 'Samples a latent by what a pipe holds.',
  required: {
    basic_pipe: basicPipe,
    seed: noiseSeed,
    steps,
    cfg,
    ...schedule,
    latent_image: latentImage,
    denoise,
  },
  optional: scheduleOption,
  outputs: pipeOutputs,
  async run({ basic_pipe, latent_image, scheduler_func_opt: schedulerFunction, ...given }, context) {
    const sampling = { ...given, ...basic_pipe, schedulerFunction };
    return { outputs: [basic_pipe, await sampleEnd(sampling, latent_image, context), basic_pipe.vae] };
  },
});

export const kSamplerAdvancedBasicPipe = defineNode({
  ...piped,
  name: 'ImpactKSamplerAdvancedBasicPipe',
  displayName: 'KSampler (Advanced/pipe)',
  description: 'Samples a latent over a part of the steps, by what a pipe holds.',
  required: {
    basic_pipe: basicPipe,
    add_noise: boolean({ default: true, tooltip: 'Whether noise is put on the latent first.' }),
    noise_seed: noiseSeed,
    steps,
    cfg,
    ...schedule,
    latent_image: latentImage,
    start_at_step: int({ default: 0, min: 0, max: 10000, tooltip: 'The first step to do.' }),
    end_at_step: int({ default: 10000, min: 0, max: 10000, tooltip: 'The step before which to end.' }),
    return_with_leftover_noise: boolean({ default: false, tooltip: 'Leaves the noise of an early end in.' }),
  },
  optional: scheduleOption,
  outputs: pipeOutputs,
  async run({ basic_pipe, latent_image, ...given }, context) {
    const part = {
      ...given,
      ...basic_pipe,
      seed: given.noise_seed,
      schedulerFunction: given.scheduler_func_opt,
      addsNoise: given.add_noise,
      start: given.start_at_step,
      end: given.end_at_step,
      keepsNoise: given.return_with_leftover_noise,
    };
    return { outputs: [basic_pipe, await samplePart(part, latent_image, context), basic_pipe.vae] };
  },
});

export const kSamplerProvider = defineNode({
  name: 'KSamplerProvider',
  displayName: 'KSamplerProvider',
  category: 'ImpactPack/Sampler',
  description: 'A sampler with its model and prompts, as a value.',
  required: { seed: noiseSeed, steps, cfg, ...schedule, denoise, basic_pipe: basicPipe },
  optional: scheduleOption,
  outputs: [{ type: KSAMPLER, name: 'KSAMPLER' }],
  run({ basic_pipe, scheduler_func_opt: schedulerFunction, ...given }) {
    const sampling = { ...given, ...basic_pipe, schedulerFunction };
    const sampler: LatentSampler = (latent, context) => sampleEnd(sampling, latent, context);
    return { outputs: [sampler] };
  },
});

export const twoSamplersForMask = defineNode({
  name: 'TwoSamplersForMask',
  displayName: 'TwoSamplersForMask',
  category: 'ImpactPack/Sampler',
  drawsNoise: true,
  description: 'One sampler outside of a mask, then another inside of it.',
  required: {
    latent_image: latentImage,
    base_sampler: link(KSAMPLER),
    mask_sampler: link(KSAMPLER),
    mask: link('MASK'),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  async run({ latent_image, base_sampler, mask_sampler, mask }, context) {
    const outside = mapValues(mask, (value) => (value === 1 ? 0 : 1));
    const first = await base_sampler({ ...latent_image, noiseMask: outside }, context);
    const second = { ...(await mask_sampler({ ...first, noiseMask: mask }, context)) };
    Reflect.deleteProperty(second, 'noiseMask');
    return { outputs: [second] };
  },
});

const util = { category: 'ImpactPack/Util', takesMore: true };
const conditionings = {
  required: { conditioning1: link('CONDITIONING') },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
} as const;

export const combineConditionings = defineNode({
  ...util,
  ...conditionings,
  name: 'ImpactCombineConditionings',
  displayName: 'Combine Conditionings',
  description: 'All prompts side by side.',
  run: (given) => ({ outputs: [Object.values<Conditioning>(given).flat()] }),
});

export const concatConditionings = defineNode({
  ...util,
  ...conditionings,
  name: 'ImpactConcatConditionings',
  displayName: 'Concat Conditionings',
  description: 'The tokens of all prompts, one after the other.',
  async run(given, context) {
    const [first, ...others] = Object.values<Conditioning>(given);
    let joined = first!;
    for (const conditioning_from of others) {
      const inputs = { conditioning_to: joined, conditioning_from };
      [joined] = (await conditioningConcat.run(inputs, context)).outputs;
    }
    return { outputs: [joined] };
  },
});
