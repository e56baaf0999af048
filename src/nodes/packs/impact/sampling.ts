/** Sampling as ComfyUI-Impact-Pack does it: a part of a longer schedule at a time (modules/impact/impact_sampling.py). */
import {
  alignYourStepsScheduler,
  combo,
  gitsScheduler,
  kSamplerSigmas,
  latentCompositeMasked,
  link,
  sampleCustom,
  schedulerNames,
  type CustomType,
  type Latent,
  type RunContext,
  type ValueOf,
} from '../../public.js';

/** The noise levels of a whole schedule of that many steps. */
export type SchedulerFunction = (
  model: ValueOf<'MODEL'>,
  sampler: string,
  steps: number,
) => Float32Array | Promise<Float32Array>;

export const SCHEDULER_FUNC = 'SCHEDULER_FUNC' as CustomType<SchedulerFunction>;

const SEARCHED = ['AYS SDXL', 'AYS SD1', 'AYS SVD', 'GITS[coeff=1.2]'] as const;

export const scheduler = combo([...schedulerNames, ...SEARCHED], {
  tooltip: 'How the noise levels are spread over the steps.',
});
export const schedulerFunction = link(SCHEDULER_FUNC, {
  tooltip: 'Makes the schedule in the place of `scheduler`.',
});

/** These leave the level before the last out of one step more. */
const LEAVES_ONE_OUT = new Set(['dpm_2', 'dpm_2_ancestral', 'uni_pc', 'uni_pc_bh2']);

/** Their noise spans the whole schedule, however small the part of it. */
const SPANS_SCHEDULE = new Set(
  ['dpmpp_sde', 'dpmpp_2m_sde', 'dpmpp_3m_sde'].flatMap((name) => [name, `${name}_gpu`]),
);

export interface SampledPart {
  readonly model: ValueOf<'MODEL'>;
  readonly positive: ValueOf<'CONDITIONING'>;
  readonly negative: ValueOf<'CONDITIONING'>;
  readonly seed: bigint;
  /** Of the whole schedule. */
  readonly steps: number;
  readonly cfg: number;
  readonly sampler_name: string;
  readonly scheduler: string;
  readonly schedulerFunction?: SchedulerFunction | undefined;
  /** In the place of `sampler_name`. */
  readonly sampler?: ValueOf<'SAMPLER'> | undefined;
  readonly addsNoise: boolean;
  readonly start: number;
  readonly end: number;
  readonly keepsNoise: boolean;
  /** Scales the noise levels of the part. */
  readonly sigmaFactor?: number;
}

/** Samples a latent over some steps of a schedule (separated_sample). */
export async function samplePart(part: SampledPart, latent: Latent, context: RunContext): Promise<Latent> {
  const total = Float32Array.from(await scheduleOf(part, context));
  let sigmas = total;
  if (part.end < total.length - 1) {
    // A part of the same memory: the noise is told of the level that was taken away.
    sigmas = total.subarray(0, part.end + 1);
    if (!part.keepsNoise) sigmas[sigmas.length - 1] = 0;
  }
  if (part.start >= sigmas.length - 1) return latent;
  const factor = part.sigmaFactor ?? 1;
  const visited = sigmas.subarray(part.start).map((sigma) => sigma * factor);
  const name = part.sampler_name;
  const sampler = part.sampler ?? { name, ...(SPANS_SCHEDULE.has(name) && { noiseSigmas: total }) };
  const noise = { seed: part.seed, disabled: !part.addsNoise };
  const [sampled, denoised] = await sampleCustom(
    { ...part, sampler, sigmas: visited, noise, latent },
    context,
  );
  return part.keepsNoise ? sampled : denoised;
}

async function scheduleOf(part: SampledPart, context: RunContext): Promise<Float32Array> {
  const { model, sampler_name, steps, schedulerFunction: own } = part;
  if (own !== undefined) return own(model, sampler_name, steps);
  const sampler = part.sampler === undefined ? sampler_name : 'euler';
  if ((schedulerNames as readonly string[]).includes(part.scheduler)) {
    return kSamplerSigmas(model.sampling.levels, { sampler, scheduler: part.scheduler, steps, denoise: 1 });
  }
  const count = LEAVES_ONE_OUT.has(sampler) ? steps + 1 : steps;
  const levels = await searched(part.scheduler, count, context);
  return LEAVES_ONE_OUT.has(sampler)
    ? Float32Array.from([...levels.subarray(0, -2), levels.at(-1)!])
    : levels;
}

async function searched(name: string, steps: number, context: RunContext): Promise<Float32Array> {
  const family = SEARCHED.find((each) => each === name)?.slice('AYS '.length);
  const { outputs } =
    family === 'SD1' || family === 'SDXL' || family === 'SVD'
      ? await alignYourStepsScheduler.run({ model_type: family, steps, denoise: 1 }, context)
      : await gitsScheduler.run({ coeff: 1.2, steps, denoise: 1 }, context);
  return outputs[0];
}

/** What samples as KSampler does, with what it takes of its schedule. */
export type EndSampling = Omit<SampledPart, 'addsNoise' | 'start' | 'end' | 'keepsNoise'> & {
  /** Share of a longer schedule; `steps` of it are done. */
  readonly denoise: number;
};

/** The last `steps` of a schedule that is as much longer as `denoise` is smaller than 1 (impact_sample). */
export function sampleEnd(sampling: EndSampling, latent: Latent, context: RunContext): Promise<Latent> {
  const steps = Math.floor(sampling.steps / sampling.denoise);
  const part = { ...sampling, steps, addsNoise: true, start: steps - sampling.steps, end: steps };
  return samplePart({ ...part, keepsNoise: false }, latent, context);
}

/** Another model for the last steps. */
export interface Refiner {
  readonly model: ValueOf<'MODEL'>;
  readonly positive: ValueOf<'CONDITIONING'>;
  readonly negative: ValueOf<'CONDITIONING'>;
  /** Share of the steps that it does. */
  readonly ratio: number;
}

/** The same with another model for the end (ksampler_wrapper). */
export async function sampleRefined(
  sampling: EndSampling,
  refiner: Refiner | undefined,
  latent: Latent,
  context: RunContext,
): Promise<Latent> {
  if (refiner === undefined) return sampleEnd(sampling, latent, context);
  const steps = Math.floor(sampling.steps / sampling.denoise);
  const start = steps - sampling.steps;
  const change = start + Math.floor(sampling.steps * (1 - refiner.ratio));
  const first = { ...sampling, steps, addsNoise: true, start, end: change, keepsNoise: true };
  const half = await samplePart(first, latent, context);
  const joined = latent.noiseMask === undefined ? half : await within(latent, half, context);
  const { model, positive, negative } = refiner;
  const second = { ...sampling, model, positive, negative, steps, addsNoise: false, start: change };
  return samplePart({ ...second, end: steps + 1, keepsNoise: false }, joined, context);
}

/** One latent laid over another where that has its noise mask. */
async function within(below: Latent, above: Latent, context: RunContext): Promise<Latent> {
  const [, , height = 1, width = 1] =
    below.noiseMask!.shape.length === 4 ? below.noiseMask!.shape : [1, ...below.noiseMask!.shape];
  const mask = {
    shape: [below.noiseMask!.data.length / (height * width), height, width],
    data: below.noiseMask!.data,
  };
  const { outputs } = await latentCompositeMasked.run(
    { destination: below, source: above, x: 0, y: 0, resize_source: false, mask },
    context,
  );
  return outputs[0];
}
