/** Samplers and schedulers by name, as `KSampler` knows them. */
import { nearestHint } from '../nearest-names.js';
import { samplers, schedulerNames, type NoiseLevels, type SamplerInfo, type SchedulerName } from './addon.js';

export const samplerNames: readonly string[] = samplers.map((sampler) => sampler.name);

/** The sampler called `name`. Throws `RangeError` with the nearest names for an unknown one. */
export function findSampler(name: string): SamplerInfo {
  const found = samplers.find((sampler) => sampler.name === name);
  if (found === undefined) {
    throw new RangeError(`there is no sampler "${name}"${nearestHint(name, samplerNames)}`);
  }
  return found;
}

/** Throws `RangeError` with the nearest names for an unknown scheduler. */
export function findScheduler(name: string): SchedulerName {
  const found = schedulerNames.find((scheduler) => scheduler === name);
  if (found === undefined) {
    throw new RangeError(`there is no scheduler "${name}"${nearestHint(name, schedulerNames)}`);
  }
  return found;
}

/**
 * The sigmas that `KSampler` visits (ComfyUI comfy/samplers.py, KSampler.set_steps): for `denoise` below 1 the last
 * `steps` + 1 of a longer schedule, none for 0.
 */
export function kSamplerSigmas(
  levels: NoiseLevels,
  settings: {
    readonly sampler: string;
    readonly scheduler: string;
    readonly steps: number;
    readonly denoise?: number;
  },
): Float32Array {
  const { discardsPenultimateSigma } = findSampler(settings.sampler);
  const scheduler = findScheduler(settings.scheduler);
  return levels.kSamplerSchedule(scheduler, settings.steps, settings.denoise ?? 1, discardsPenultimateSigma);
}
