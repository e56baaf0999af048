/** Samplers with their options (ComfyUI comfy_extras/nodes_custom_sampler.py). */
import { samplerNames } from '../../native/samplers.js';
import { boolean, combo, defineNode, float, int, link } from '../definition.js';

const category = 'model/sampling/samplers';
const outputs = [{ type: 'SAMPLER', name: 'SAMPLER' }] as const;

/** A number from 0 to `max` that editors don't round. */
const option = (value: number, tooltip: string, max = 100) =>
  float({ default: value, min: 0, max, step: 0.01, round: false, tooltip });

const eta = option(1, 'How much of each step is taken back by fresh noise; none at 0.');
const s_noise = option(1, 'Scales the fresh noise.');
const noise_device = combo(['gpu', 'cpu'], {
  tooltip:
    'Where ComfyUI would draw the noise. On the CPU both are the same; `--noise gpu` tells them apart.',
});

export const kSamplerSelect = defineNode({
  name: 'KSamplerSelect',
  displayName: 'KSamplerSelect',
  category,
  description: 'One of the samplers of KSampler, with its usual options.',
  required: { sampler_name: combo(samplerNames, { tooltip: 'The way from noise to picture.' }) },
  optional: {},
  outputs,
  run: ({ sampler_name: name }) => ({ outputs: [{ name }] }),
});

export const samplerEulerAncestral = defineNode({
  name: 'SamplerEulerAncestral',
  displayName: 'SamplerEulerAncestral',
  category,
  description: "Euler's method with fresh noise after each step.",
  required: { eta, s_noise },
  optional: {},
  outputs,
  run: (options) => ({ outputs: [{ name: 'euler_ancestral', options }] }),
});

export const samplerEulerAncestralCfgPp = defineNode({
  name: 'SamplerEulerAncestralCFGPP',
  displayName: 'SamplerEulerAncestralCFG++',
  category,
  description: "Euler's method along the unguided direction of noise, with fresh noise after each step.",
  required: { eta: option(1, eta.tooltip ?? '', 1), s_noise: option(1, s_noise.tooltip ?? '', 10) },
  optional: {},
  outputs,
  run: (options) => ({ outputs: [{ name: 'euler_ancestral_cfg_pp', options }] }),
});

export const samplerLms = defineNode({
  name: 'SamplerLMS',
  displayName: 'SamplerLMS',
  category,
  description: 'A linear multistep method.',
  required: { order: int({ default: 4, min: 1, max: 100, tooltip: 'How many past steps count.' }) },
  optional: {},
  outputs,
  run: (options) => ({ outputs: [{ name: 'lms', options }] }),
});

export const samplerDpmPp3MSde = defineNode({
  name: 'SamplerDPMPP_3M_SDE',
  displayName: 'SamplerDPMPP_3M_SDE',
  category,
  description: 'DPM-Solver++ of third order over past steps, with noise along a Brownian path.',
  required: { eta, s_noise, noise_device },
  optional: {},
  outputs,
  run: ({ noise_device: device, ...options }) => ({
    outputs: [{ name: device === 'cpu' ? 'dpmpp_3m_sde' : 'dpmpp_3m_sde_gpu', options }],
  }),
});

export const samplerDpmPp2MSde = defineNode({
  name: 'SamplerDPMPP_2M_SDE',
  displayName: 'SamplerDPMPP_2M_SDE',
  category,
  description: 'DPM-Solver++ of second order over past steps, with noise along a Brownian path.',
  required: {
    solver_type: combo(['midpoint', 'heun'], { tooltip: 'How the second order is estimated.' }),
    eta,
    s_noise,
    noise_device,
  },
  optional: {},
  outputs,
  run: ({ noise_device: device, ...options }) => ({
    outputs: [{ name: device === 'cpu' ? 'dpmpp_2m_sde' : 'dpmpp_2m_sde_gpu', options }],
  }),
});

export const samplerDpmPpSde = defineNode({
  name: 'SamplerDPMPP_SDE',
  displayName: 'SamplerDPMPP_SDE',
  category,
  description: 'DPM-Solver++ of second order within each step, with noise along a Brownian path.',
  required: { eta, s_noise, r: option(0.5, 'Where within a step it looks a second time.'), noise_device },
  optional: {},
  outputs,
  run: ({ noise_device: device, ...options }) => ({
    outputs: [{ name: device === 'cpu' ? 'dpmpp_sde' : 'dpmpp_sde_gpu', options }],
  }),
});

export const samplerDpmPp2SAncestral = defineNode({
  name: 'SamplerDPMPP_2S_Ancestral',
  displayName: 'SamplerDPMPP_2S_Ancestral',
  category,
  description: 'DPM-Solver++ of second order within each step, with fresh noise after it.',
  required: { eta, s_noise },
  optional: {},
  outputs,
  run: (options) => ({ outputs: [{ name: 'dpmpp_2s_ancestral', options }] }),
});

export const samplerDpmAdaptative = defineNode({
  name: 'SamplerDPMAdaptative',
  displayName: 'SamplerDPMAdaptative',
  category,
  description: 'DPM-Solver whose steps are as long as their error allows; of a schedule only the ends count.',
  required: {
    order: int({ default: 3, min: 2, max: 3, tooltip: 'Of the solver.' }),
    rtol: option(0.05, 'Error allowed, relative to the latent.'),
    atol: option(0.0078, 'Error always allowed.'),
    h_init: option(0.05, 'The first step, in the logarithm of the noise level.'),
    pcoeff: option(0, 'How much the last error itself counts for the next step.'),
    icoeff: option(1, 'How much the sum of errors counts.'),
    dcoeff: option(0, 'How much the change of the error counts.'),
    accept_safety: option(0.81, 'Steps that would shrink by more than this are taken again.'),
    eta: option(0, 'How much of each step is taken back by fresh noise; none at 0.'),
    s_noise,
  },
  optional: {},
  outputs,
  run: (options) => ({ outputs: [{ name: 'dpm_adaptive', options }] }),
});

export const samplerErSde = defineNode({
  name: 'SamplerER_SDE',
  displayName: 'SamplerER_SDE',
  category,
  description: 'Extended reverse-time SDE solvers of up to third order.',
  required: {
    solver_type: combo(['ER-SDE', 'Reverse-time SDE', 'ODE'], {
      tooltip: 'How much noise the way back keeps.',
    }),
    max_stage: int({ default: 3, min: 1, max: 3, tooltip: 'The highest order.' }),
    eta: option(1, 'How much noise a reverse-time SDE keeps; at 0 it is the ODE. ER-SDE has no use for it.'),
    s_noise,
  },
  optional: {},
  outputs,
  run: (options) => ({ outputs: [{ name: 'er_sde', options }] }),
});

export const samplerSaSolver = defineNode({
  name: 'SamplerSASolver',
  displayName: 'SamplerSASolver',
  category,
  description:
    'Stochastic Adams: a linear multistep predictor and corrector, with noise in a part of the schedule.',
  required: {
    model: link('MODEL', { tooltip: 'Whose schedule the two shares are of.' }),
    eta: option(1, 'How much noise there is; none at 0.', 10),
    sde_start_percent: float({
      default: 0.2,
      min: 0,
      max: 1,
      step: 0.001,
      tooltip: 'Share of the schedule after which noise begins.',
    }),
    sde_end_percent: float({
      default: 0.8,
      min: 0,
      max: 1,
      step: 0.001,
      tooltip: 'Share of the schedule after which there is no more.',
    }),
    s_noise,
    predictor_order: int({ default: 3, min: 1, max: 6, tooltip: 'Past steps that the predictor looks at.' }),
    corrector_order: int({
      default: 4,
      min: 0,
      max: 6,
      tooltip: 'Past steps that the corrector looks at; no corrector at 0.',
    }),
    use_pece: boolean({ tooltip: 'Looks at the model again after each correction.' }),
    simple_order_2: boolean({ tooltip: "The paper's simpler coefficients for order 2." }),
  },
  optional: {},
  outputs,
  run({ model, sde_start_percent, sde_end_percent, ...options }) {
    const { levels } = model.sampling;
    const interval = {
      sde_start_sigma: levels.percentToSigma(sde_start_percent),
      sde_end_sigma: levels.percentToSigma(sde_end_percent),
    };
    return { outputs: [{ name: 'sa_solver', options: { ...options, ...interval } }] };
  },
});

export const samplerSeeds2 = defineNode({
  name: 'SamplerSEEDS2',
  displayName: 'SamplerSEEDS2',
  category,
  description:
    'SEEDS of two stages; with phi_2 and r 1 an exponential Heun method, exp_heun_2_x0 at eta 0 and exp_heun_2_x0_sde at 1.',
  required: {
    solver_type: combo(['phi_1', 'phi_2'], { tooltip: 'How the two stages are weighed.' }),
    eta,
    s_noise,
    r: float({
      default: 0.5,
      min: 0.01,
      max: 1,
      step: 0.01,
      round: false,
      tooltip: 'Where within a step it looks a second time.',
    }),
  },
  optional: {},
  outputs,
  run: (options) => ({ outputs: [{ name: 'seeds_2', options }] }),
});

const strength = (tooltip: string) => float({ default: 1, min: 0, max: 64, step: 0.01, tooltip });

export const samplerLcm = defineNode({
  name: 'SamplerLCM',
  displayName: 'SamplerLCM',
  category,
  description: 'LCM sampling whose fresh noise is weighed and cut off.',
  required: {
    s_noise: strength('Scales the fresh noise of the first step.'),
    s_noise_end: strength('Scales that of the last; between them it changes evenly.'),
    noise_clip_std: float({
      default: 0,
      min: 0,
      max: 10,
      step: 0.01,
      tooltip: 'Cuts noise off at so many of its standard deviations; not at all at 0.',
    }),
  },
  optional: {},
  outputs,
  run: (options) => ({ outputs: [{ name: 'lcm', options }] }),
});

export const samplerEulerCfgPp = defineNode({
  name: 'SamplerEulerCFGpp',
  displayName: 'SamplerEulerCFG++',
  category: 'experimental',
  description: "Euler's method with CFG++: noise goes the way of the prediction without the prompt.",
  required: {
    version: combo(['regular', 'alternative'], {
      tooltip: 'The alternative steps along the difference of both predictions instead.',
    }),
  },
  optional: {},
  outputs,
  run: ({ version }) => ({ outputs: [{ name: 'euler_cfg_pp', options: { version } }] }),
});

export const samplerLcmUpscale = defineNode({
  name: 'SamplerLCMUpscale',
  displayName: 'SamplerLCMUpscale',
  category,
  description: 'LCM sampling of a latent that grows between steps.',
  required: {
    scale_ratio: float({ default: 1, min: 0.1, max: 20, step: 0.01, tooltip: 'How much larger it becomes.' }),
    scale_steps: int({
      default: -1,
      min: -1,
      max: 1000,
      step: 1,
      tooltip: 'After how many steps it has its size; half of them at -1.',
    }),
    upscale_method: combo(['bislerp', 'nearest-exact', 'bilinear', 'area', 'bicubic'], {
      tooltip: 'How it grows.',
    }),
  },
  optional: {},
  outputs,
  run: ({ scale_ratio: ratio, scale_steps: steps, upscale_method: method }) => ({
    outputs: [{ name: 'lcm', growth: { ratio, steps: steps < 0 ? undefined : steps, method } }],
  }),
});
