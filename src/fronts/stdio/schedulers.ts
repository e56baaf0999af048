/**
 * diffusers' schedulers by class name, and what samples alike here. A scheduler there is a solver and a spacing of its steps; here
 * these are KSampler's `sampler_name` and `scheduler`. `linspace`, `leading` and `trailing` are diffusers' `timestep_spacing`
 * (schedulers/scheduling_euler_discrete.py, set_timesteps): 1000 timesteps from 999 down in even steps, as `normal`; multiples of 1000 /
 * steps plus one, as `ddim_uniform`; the same from the end, as `sgm_uniform`.
 */
import { z } from 'zod';
import { nearestHint } from '../../nearest-names.js';
import { schedulerNames } from '../../native/addon.js';
import { samplerNames } from '../../native/samplers.js';
import { shorten } from '../../safe-text.js';
import { StdioFault } from './fault.js';

const SPACINGS = { linspace: 'normal', leading: 'ddim_uniform', trailing: 'sgm_uniform' } as const;

/** `scheduler` as an object; the fields are those of diffusers' configurations. */
export const schedulerOptions = z.looseObject({
  type: z.string().nullish(),
  steps: z.int().min(1).max(1000).nullish(),
  timestep_spacing: z.enum(['linspace', 'leading', 'trailing']).nullish(),
  use_karras_sigmas: z.boolean().nullish(),
  use_exponential_sigmas: z.boolean().nullish(),
  use_beta_sigmas: z.boolean().nullish(),
  algorithm_type: z.string().nullish(),
  solver_order: z.int().min(1).max(3).nullish(),
});

export type SchedulerOptions = z.infer<typeof schedulerOptions>;

export interface SchedulerChoice {
  /** `sampler_name` and `scheduler` of KSampler. */
  readonly sampler: string;
  readonly scheduler: string;
}

interface Row {
  /** diffusers' class. */
  readonly name: string;
  readonly sampler: string;
  /** The spacing that the class has unless told otherwise. */
  readonly scheduler: string;
  /** What people call it, A1111's names above all; compared without case and punctuation. */
  readonly aliases: readonly string[];
  /** With `algorithm_type` `sde-dpmsolver++`, by `solver_order`. */
  readonly sde?: Readonly<Record<number, string>>;
}

const SDE = { 1: 'dpmpp_2m_sde', 2: 'dpmpp_2m_sde', 3: 'dpmpp_3m_sde' };

const ROWS: readonly Row[] = [
  { ...row('DPMSolverMultistepScheduler', 'dpmpp_2m', 'normal', 'DPM++ 2M', 'DPM++'), sde: SDE },
  row('DPMSolverSinglestepScheduler', 'dpmpp_2s_ancestral', 'normal', 'DPM++ 2S', 'DPM++ 2S a'),
  row('DPMSolverSDEScheduler', 'dpmpp_sde', 'normal', 'DPM++ SDE'),
  row('EulerDiscreteScheduler', 'euler', 'normal', 'Euler'),
  row('EulerAncestralDiscreteScheduler', 'euler_ancestral', 'normal', 'Euler a', 'Euler Ancestral'),
  row('HeunDiscreteScheduler', 'heun', 'normal', 'Heun'),
  row('KDPM2DiscreteScheduler', 'dpm_2', 'normal', 'DPM2'),
  row('KDPM2AncestralDiscreteScheduler', 'dpm_2_ancestral', 'normal', 'DPM2 a'),
  row('LMSDiscreteScheduler', 'lms', 'normal', 'LMS'),
  row('DDIMScheduler', 'ddim', 'ddim_uniform', 'DDIM'),
  row('DDPMScheduler', 'ddpm', 'ddim_uniform', 'DDPM'),
  // Pseudo linear multistep without its Runge-Kutta steps, as Stable Diffusion's pipelines have it.
  row('PNDMScheduler', 'ipndm', 'ddim_uniform', 'PNDM', 'PLMS'),
  row('IPNDMScheduler', 'ipndm', 'normal'),
  // diffusers' default solver_type is bh2.
  row('UniPCMultistepScheduler', 'uni_pc_bh2', 'normal', 'UniPC'),
  row('DEISMultistepScheduler', 'deis', 'normal', 'DEIS'),
  row('LCMScheduler', 'lcm', 'sgm_uniform', 'LCM'),
  row('SASolverScheduler', 'sa_solver', 'normal', 'SA Solver'),
  row('EDMEulerScheduler', 'euler', 'karras'),
  row('EDMDPMSolverMultistepScheduler', 'dpmpp_2m', 'karras'),
  row('FlowMatchEulerDiscreteScheduler', 'euler', 'simple', 'Flow Match Euler'),
  row('FlowMatchHeunDiscreteScheduler', 'heun', 'simple'),
  row('DPM++ 2M SDE', 'dpmpp_2m_sde', 'normal'),
  row('DPM++ 3M SDE', 'dpmpp_3m_sde', 'normal'),
];

/** diffusers' class names that are known. */
export const DIFFUSERS_SCHEDULERS: readonly string[] = ROWS.map(({ name }) => name).filter((name) =>
  name.endsWith('Scheduler'),
);

/** A1111's names, which end in that of a spacing. */
const ENDINGS: readonly (readonly [ending: string, scheduler: string])[] = [
  ['karras', 'karras'],
  ['exponential', 'exponential'],
];

const DEFAULT = 'EulerDiscreteScheduler';

/**
 * What a `scheduler` comes to: a class of diffusers', one of A1111's names, or KSampler's own. Throws `StdioFault` with the nearest names
 * for any other.
 */
export function samplingOf(scheduler: string | SchedulerOptions | null | undefined): SchedulerChoice {
  const options: SchedulerOptions = typeof scheduler === 'string' ? { type: scheduler } : (scheduler ?? {});
  const name = options.type ?? DEFAULT;
  const own = samplerNames.find((each) => each === name);
  if (own !== undefined) return { sampler: own, scheduler: spacingOf(options) ?? 'normal' };
  const key = keyOf(name);
  const ending = ENDINGS.find(([text]) => key.endsWith(text));
  const row = find(key) ?? (ending === undefined ? undefined : find(key.slice(0, -ending[0].length)));
  if (row === undefined) {
    throw new StdioFault(
      'invalid_request',
      `scheduler: there is no ${JSON.stringify(shorten(name))}${nearestHint(name, DIFFUSERS_SCHEDULERS)}`,
      'scheduler',
    );
  }
  const stochastic = options.algorithm_type?.startsWith('sde') === true;
  return {
    sampler: (stochastic ? row.sde?.[options.solver_order ?? 2] : undefined) ?? row.sampler,
    scheduler: spacingOf(options) ?? (find(key) === undefined ? ending?.[1] : undefined) ?? row.scheduler,
  };
}

function spacingOf(options: SchedulerOptions): string | undefined {
  if (options.use_karras_sigmas === true) return 'karras';
  if (options.use_exponential_sigmas === true) return 'exponential';
  if (options.use_beta_sigmas === true) return 'beta';
  const { timestep_spacing: spacing } = options;
  if (spacing !== null && spacing !== undefined) return SPACINGS[spacing];
  const own = options['schedule'];
  return typeof own === 'string' ? schedulerNames.find((each) => each === own) : undefined;
}

function find(key: string): Row | undefined {
  return ROWS.find(({ name, aliases }) => [name, ...aliases].some((each) => keyOf(each) === key));
}

/** `EulerAncestralDiscreteScheduler`, `EulerAncestralDiscrete` and `euler-ancestral` are one. */
function keyOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/scheduler$/, '')
    .replaceAll('++', 'pp')
    .replaceAll('discrete', '')
    .replaceAll(/[^a-z0-9]/g, '');
}

function row(name: string, sampler: string, scheduler: string, ...aliases: readonly string[]): Row {
  return { name, sampler, scheduler, aliases };
}
