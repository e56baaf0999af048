/** A1111's samplers and schedulers by their names there (modules/sd_samplers*.py, modules/sd_schedulers.py, 1.10), and what runs them here. */
import { nearestHint } from '../../nearest-names.js';
import { shorten } from '../../safe-text.js';
import { HttpFault } from './fault.js';

export interface SamplerRow {
  readonly name: string;
  readonly aliases: readonly string[];
  /** As A1111 tells them; `scheduler` is what `Automatic` means with this sampler. */
  readonly options: Readonly<Record<string, string | boolean>>;
  /** `sampler_name` of KSampler. */
  readonly sampler: string;
  /** `Automatic`, where it is none of A1111's schedulers: the spacing that the sampler brings along. */
  readonly spacing?: string;
  /** What the guidance scale is multiplied by. */
  readonly guidance?: number;
}

export interface SchedulerRow {
  readonly name: string;
  readonly label: string;
  readonly aliases: readonly string[] | null;
  readonly default_rho: number;
  readonly need_inner_model: boolean;
  /** `scheduler` of KSampler; undefined for Align Your Steps, which has a node of its own. */
  readonly scheduler: string | undefined;
}

const KARRAS = { scheduler: 'karras' };
const EXPONENTIAL = { scheduler: 'exponential' };
const SECOND_ORDER = { second_order: true };
const BROWNIAN = { brownian_noise: true };
const ENSD = { uses_ensd: true };
const DISCARDS = { discard_next_to_last_sigma: true };

/** In A1111's order, of which the first is its default. `Restart` has nothing like it here and is left out. */
export const SAMPLERS: readonly SamplerRow[] = [
  row('DPM++ 2M', ['k_dpmpp_2m'], KARRAS, 'dpmpp_2m'),
  row('DPM++ SDE', ['k_dpmpp_sde'], { ...KARRAS, ...SECOND_ORDER, ...BROWNIAN }, 'dpmpp_sde'),
  row('DPM++ 2M SDE', ['k_dpmpp_2m_sde'], { ...EXPONENTIAL, ...BROWNIAN }, 'dpmpp_2m_sde'),
  row(
    'DPM++ 2M SDE Heun',
    ['k_dpmpp_2m_sde_heun'],
    { ...EXPONENTIAL, ...BROWNIAN, solver_type: 'heun' },
    'dpmpp_2m_sde_heun',
  ),
  row('DPM++ 2S a', ['k_dpmpp_2s_a'], { ...KARRAS, ...ENSD, ...SECOND_ORDER }, 'dpmpp_2s_ancestral'),
  row('DPM++ 3M SDE', ['k_dpmpp_3m_sde'], { ...EXPONENTIAL, ...DISCARDS, ...BROWNIAN }, 'dpmpp_3m_sde'),
  row('Euler a', ['k_euler_a', 'k_euler_ancestral'], ENSD, 'euler_ancestral'),
  row('Euler', ['k_euler'], {}, 'euler'),
  row('LMS', ['k_lms'], {}, 'lms'),
  row('Heun', ['k_heun'], SECOND_ORDER, 'heun'),
  row('DPM2', ['k_dpm_2'], { ...KARRAS, ...DISCARDS, ...SECOND_ORDER }, 'dpm_2'),
  row('DPM2 a', ['k_dpm_2_a'], { ...KARRAS, ...DISCARDS, ...ENSD, ...SECOND_ORDER }, 'dpm_2_ancestral'),
  row('DPM fast', ['k_dpm_fast'], ENSD, 'dpm_fast'),
  row('DPM adaptive', ['k_dpm_ad'], ENSD, 'dpm_adaptive'),
  { ...row('DDIM', ['ddim'], {}, 'ddim'), spacing: 'ddim_uniform' },
  // modules/sd_samplers_timesteps_impl.py, ddim_cfgpp: the guidance scale is divided by 12.5.
  { ...row('DDIM CFG++', ['ddim_cfgpp'], {}, 'euler_cfg_pp'), spacing: 'ddim_uniform', guidance: 1 / 12.5 },
  // Pseudo linear multistep: up to four past predictions of noise, as in iPNDM.
  { ...row('PLMS', ['plms'], {}, 'ipndm'), spacing: 'ddim_uniform' },
  row('UniPC', ['unipc'], {}, 'uni_pc'),
  { ...row('LCM', ['k_lcm'], {}, 'lcm'), spacing: 'sgm_uniform' },
];

export const SCHEDULERS: readonly SchedulerRow[] = [
  scheduler('automatic', 'Automatic', undefined),
  scheduler('uniform', 'Uniform', 'normal', { need_inner_model: true }),
  scheduler('karras', 'Karras', 'karras', { default_rho: 7 }),
  scheduler('exponential', 'Exponential', 'exponential'),
  // At its default rho of 1, the same as Exponential.
  scheduler('polyexponential', 'Polyexponential', 'exponential', { default_rho: 1 }),
  scheduler('sgm_uniform', 'SGM Uniform', 'sgm_uniform', { need_inner_model: true, aliases: ['SGMUniform'] }),
  scheduler('kl_optimal', 'KL Optimal', 'kl_optimal'),
  scheduler('align_your_steps', 'Align Your Steps', undefined),
  scheduler('simple', 'Simple', 'simple', { need_inner_model: true }),
  scheduler('normal', 'Normal', 'normal', { need_inner_model: true }),
  scheduler('ddim', 'DDIM', 'ddim_uniform', { need_inner_model: true }),
  scheduler('beta', 'Beta', 'beta', { need_inner_model: true }),
];

const AUTOMATIC = SCHEDULERS[0]!;

/** What a request's `sampler_name` and `scheduler` come to. */
export interface NamedSampling {
  /** As A1111 calls it; goes into infotext. */
  readonly label: string;
  /** The scheduler's label; `Automatic` where it is the sampler's own. */
  readonly scheduleLabel: string;
  readonly sampler: string;
  /** Undefined for Align Your Steps. */
  readonly scheduler: string | undefined;
  readonly guidance: number;
}

/**
 * The sampler and scheduler of a request. A sampler's name may end in that of a scheduler, as before A1111 1.9 ("DPM++ 2M Karras"). Throws
 * `HttpFault` (400) for a sampler that isn't there.
 */
export function samplingOf(
  samplerName: string | null | undefined,
  schedulerName: string | null | undefined,
): NamedSampling {
  const wanted = samplerName ?? '';
  const ending = SCHEDULERS.flatMap((each) =>
    [each.label, each.name, ...(each.aliases ?? [])]
      .filter((name) => wanted.endsWith(` ${name}`))
      .map((name) => ({ scheduler: each, sampler: wanted.slice(0, -name.length - 1) })),
  )[0];
  const name = ending?.sampler ?? wanted;
  const found = name === '' ? SAMPLERS[0]! : findSampler(name);
  if (found === undefined) {
    const names = SAMPLERS.map((each) => each.name);
    throw new HttpFault(
      400,
      `Sampler not found: ${JSON.stringify(shorten(wanted))}${nearestHint(wanted, names)}`,
    );
  }
  const asked = ending?.scheduler ?? findScheduler(schedulerName ?? '') ?? AUTOMATIC;
  const own = found.options['scheduler'];
  const isOwn = asked === AUTOMATIC || asked.name === own;
  const used = asked === AUTOMATIC ? SCHEDULERS.find((each) => each.name === (own ?? 'uniform'))! : asked;
  return {
    label: found.name,
    scheduleLabel: isOwn ? AUTOMATIC.label : asked.label,
    sampler: found.sampler,
    scheduler: asked === AUTOMATIC ? (found.spacing ?? used.scheduler) : used.scheduler,
    guidance: found.guidance ?? 1,
  };
}

function findSampler(name: string): SamplerRow | undefined {
  const low = name.toLowerCase();
  return (
    SAMPLERS.find((each) => each.name === name) ??
    SAMPLERS.find((each) => each.name.toLowerCase() === low || each.aliases.includes(low))
  );
}

function findScheduler(name: string): SchedulerRow | undefined {
  return SCHEDULERS.find((each) => each.label === name || each.name === name);
}

function row(
  name: string,
  aliases: readonly string[],
  options: SamplerRow['options'],
  sampler: string,
): SamplerRow {
  return { name, aliases, options, sampler };
}

function scheduler(
  name: string,
  label: string,
  runs: string | undefined,
  more: Partial<Pick<SchedulerRow, 'aliases' | 'default_rho' | 'need_inner_model'>> = {},
): SchedulerRow {
  return { name, label, aliases: null, default_rho: -1, need_inner_model: false, scheduler: runs, ...more };
}
