/** Schedules of noise levels (ComfyUI comfy_extras/nodes_custom_sampler.py). */
import {
  exponentialSigmas,
  karrasSigmas,
  laplaceSigmas,
  polyexponentialSigmas,
  schedulerNames,
  vpSigmas,
} from '../../native/addon.js';
import { combo, defineNode, float, int, link } from '../definition.js';

const category = 'model/sampling/schedulers';
const outputs = [
  { type: 'SIGMAS', name: 'SIGMAS', tooltip: 'The noise levels, one more than steps.' },
] as const;

const steps = int({ default: 20, min: 1, max: 10000, tooltip: 'How many steps.' });
const denoise = float({
  default: 1,
  min: 0,
  max: 1,
  step: 0.01,
  tooltip: 'Share of the schedule that is left to do; the steps are spread over it.',
});

const sigma = (value: number, tooltip: string) =>
  float({ default: value, min: 0, max: 5000, step: 0.01, round: false, tooltip });
const range = {
  sigma_max: sigma(14.614642, 'The noise level to begin with.'),
  sigma_min: sigma(0.0291675, 'The last noise level above 0.'),
};

export const basicScheduler = defineNode({
  name: 'BasicScheduler',
  displayName: 'BasicScheduler',
  category,
  description: "A model's own noise levels, spread by one of KSampler's schedulers.",
  required: {
    model: link('MODEL', { tooltip: 'The model that will be sampled.' }),
    scheduler: combo(schedulerNames, { tooltip: 'How noise is gradually removed.' }),
    steps,
    denoise,
  },
  optional: {},
  outputs,
  run({ model, scheduler, steps: count, denoise: share }) {
    const sigmas = model.sampling.levels.kSamplerSchedule(scheduler, count, share, false);
    // ddim_uniform may make a step more than it is asked for.
    return { outputs: [sigmas.slice(-(count + 1))] };
  },
});

export const karrasScheduler = defineNode({
  name: 'KarrasScheduler',
  displayName: 'KarrasScheduler',
  category,
  description: 'Evenly spaced roots of the noise level: Karras et al., 2022.',
  required: {
    steps,
    ...range,
    rho: float({
      default: 7,
      min: 0,
      max: 100,
      step: 0.01,
      round: false,
      tooltip: 'Which root; higher ones put more steps at low noise.',
    }),
  },
  optional: {},
  outputs,
  run: ({ steps: count, sigma_max, sigma_min, rho }) => ({
    outputs: [karrasSigmas(count, sigma_min, sigma_max, rho)],
  }),
});

export const exponentialScheduler = defineNode({
  name: 'ExponentialScheduler',
  displayName: 'ExponentialScheduler',
  category,
  description: 'Evenly spaced logarithms of the noise level.',
  required: { steps, ...range },
  optional: {},
  outputs,
  run: ({ steps: count, sigma_max, sigma_min }) => ({
    outputs: [exponentialSigmas(count, sigma_min, sigma_max)],
  }),
});

export const polyexponentialScheduler = defineNode({
  name: 'PolyexponentialScheduler',
  displayName: 'PolyexponentialScheduler',
  category,
  description: 'Logarithms of the noise level, spaced by a power.',
  required: {
    steps,
    ...range,
    rho: float({
      default: 1,
      min: 0,
      max: 100,
      step: 0.01,
      round: false,
      tooltip: 'The power; at 1 the spacing is even.',
    }),
  },
  optional: {},
  outputs,
  run: ({ steps: count, sigma_max, sigma_min, rho }) => ({
    outputs: [polyexponentialSigmas(count, sigma_min, sigma_max, rho)],
  }),
});

export const laplaceScheduler = defineNode({
  name: 'LaplaceScheduler',
  displayName: 'LaplaceScheduler',
  category,
  description:
    'Logarithms of the noise level at the quantiles of a Laplace distribution. It does not end in 0.',
  required: {
    steps,
    ...range,
    mu: float({
      default: 0,
      min: -10,
      max: 10,
      step: 0.1,
      round: false,
      tooltip: 'Centre of the distribution, as a logarithm of the noise level.',
    }),
    beta: float({
      default: 0.5,
      min: 0,
      max: 10,
      step: 0.1,
      round: false,
      tooltip: 'Width of the distribution.',
    }),
  },
  optional: {},
  outputs,
  run: ({ steps: count, sigma_max, sigma_min, mu, beta }) => ({
    outputs: [laplaceSigmas(count, sigma_min, sigma_max, mu, beta)],
  }),
});

export const vpScheduler = defineNode({
  name: 'VPScheduler',
  displayName: 'VPScheduler',
  category,
  description: 'Noise levels of a continuous variance-preserving process.',
  required: {
    steps,
    beta_d: float({
      default: 19.9,
      min: 0,
      max: 5000,
      step: 0.01,
      round: false,
      tooltip: 'How much the rate of noise grows.',
    }),
    beta_min: float({
      default: 0.1,
      min: 0,
      max: 5000,
      step: 0.01,
      round: false,
      tooltip: 'The rate of noise at the end.',
    }),
    eps_s: float({
      default: 0.001,
      min: 0,
      max: 1,
      step: 0.0001,
      round: false,
      tooltip: 'The time of the last level above 0.',
    }),
  },
  optional: {},
  outputs,
  run: ({ steps: count, beta_d, beta_min, eps_s }) => ({
    outputs: [vpSigmas(count, beta_d, beta_min, eps_s)],
  }),
});

export const betaSamplingScheduler = defineNode({
  name: 'BetaSamplingScheduler',
  displayName: 'BetaSamplingScheduler',
  category,
  description: "A model's noise levels at the quantiles of a beta distribution.",
  required: {
    model: link('MODEL', { tooltip: 'The model that will be sampled.' }),
    steps,
    alpha: float({
      default: 0.6,
      min: 0,
      max: 50,
      step: 0.01,
      round: false,
      tooltip: 'Lower values put more steps at low noise.',
    }),
    beta: float({
      default: 0.6,
      min: 0,
      max: 50,
      step: 0.01,
      round: false,
      tooltip: 'Lower values put more steps at high noise.',
    }),
  },
  optional: {},
  outputs,
  run: ({ model, steps: count, alpha, beta }) => ({
    outputs: [model.sampling.levels.betaSchedule(count, alpha, beta)],
  }),
});

export const sdTurboScheduler = defineNode({
  name: 'SDTurboScheduler',
  displayName: 'SDTurboScheduler',
  category,
  description: 'The ten noise levels that SD Turbo and SDXL Turbo were distilled to, from the highest.',
  required: {
    model: link('MODEL', { tooltip: 'The model that will be sampled.' }),
    steps: int({ default: 1, min: 1, max: 10, tooltip: 'How many of the levels.' }),
    denoise: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'Where to begin: at 0.5 the five highest levels are left out.',
    }),
  },
  optional: {},
  outputs,
  run({ model, steps: count, denoise: share }) {
    const first = 10 - Math.trunc(10 * share);
    const timesteps = Array.from({ length: 10 }, (_, index) => 999 - 100 * index).slice(first, first + count);
    const sigmas = timesteps.map((timestep) => model.sampling.levels.timestepToSigma(timestep));
    return { outputs: [Float32Array.of(...sigmas, 0)] };
  },
});
