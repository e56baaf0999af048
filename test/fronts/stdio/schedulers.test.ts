import { expect, test } from 'vitest';
import {
  samplingOf,
  DIFFUSERS_SCHEDULERS,
  type SchedulerOptions,
} from '../../../src/fronts/stdio/schedulers.js';
import { schedulerNames } from '../../../src/native/addon.js';
import { samplerNames } from '../../../src/native/samplers.js';

test("every scheduler of diffusers' is sampled by names that KSampler has", () => {
  expect(DIFFUSERS_SCHEDULERS.length).toBeGreaterThan(15);
  for (const name of DIFFUSERS_SCHEDULERS) {
    const { sampler, scheduler } = samplingOf(name);
    expect(samplerNames).toContain(sampler);
    expect(schedulerNames).toContain(scheduler);
  }
});

test.each<[string | SchedulerOptions | undefined, string, string]>([
  ['DPMSolverMultistepScheduler', 'dpmpp_2m', 'normal'],
  [{ type: 'DPMSolverMultistepScheduler', use_karras_sigmas: true }, 'dpmpp_2m', 'karras'],
  [{ type: 'DPMSolverMultistepScheduler', algorithm_type: 'sde-dpmsolver++' }, 'dpmpp_2m_sde', 'normal'],
  [
    { type: 'DPMSolverMultistepScheduler', algorithm_type: 'sde-dpmsolver++', solver_order: 3 },
    'dpmpp_3m_sde',
    'normal',
  ],
  [{ type: 'EulerDiscreteScheduler', timestep_spacing: 'leading' }, 'euler', 'ddim_uniform'],
  [{ type: 'EulerDiscreteScheduler', timestep_spacing: 'trailing' }, 'euler', 'sgm_uniform'],
  ['EulerAncestralDiscreteScheduler', 'euler_ancestral', 'normal'],
  ['HeunDiscreteScheduler', 'heun', 'normal'],
  ['DDIMScheduler', 'ddim', 'ddim_uniform'],
  ['PNDMScheduler', 'ipndm', 'ddim_uniform'],
  ['UniPCMultistepScheduler', 'uni_pc_bh2', 'normal'],
  ['LMSDiscreteScheduler', 'lms', 'normal'],
  // As people write them.
  ['EulerAncestralDiscrete', 'euler_ancestral', 'normal'],
  ['DPM++ 2M Karras', 'dpmpp_2m', 'karras'],
  ['DPM++ SDE Karras', 'dpmpp_sde', 'karras'],
  ['dpmpp_2m_sde', 'dpmpp_2m_sde', 'normal'],
  [{ type: 'dpmpp_2m', schedule: 'exponential' }, 'dpmpp_2m', 'exponential'],
  [undefined, 'euler', 'normal'],
])('%o is %s with %s', (given, sampler, scheduler) => {
  expect(samplingOf(given)).toEqual({ sampler, scheduler });
});
