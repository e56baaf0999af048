import { cfgGuider } from '../../sampling/cfg-guider.js';
import { fitEmptyLatent } from '../../sampling/empty-latent.js';
import { drawNoise } from '../../sampling/noise.js';
import { runSampler, type SamplingOptions } from '../../sampling/run-sampler.js';
import type { RunContext } from '../context.js';
import type { Latent, ValueTypes } from '../values.js';
import { duringRun } from './progress.js';

/** What SamplerCustomAdvanced is told. */
export interface SamplingParts extends Pick<SamplingOptions, 'guider' | 'sampler' | 'sigmas'> {
  readonly noise: ValueTypes['NOISE'];
  readonly latent: Latent;
}

/** ComfyUI's SamplerCustomAdvanced: the sampled latent, and what the model last saw under the noise. */
export async function sampleParts(parts: SamplingParts, context: RunContext): Promise<[Latent, Latent]> {
  const { guider, noise, latent } = parts;
  const samples = fitEmptyLatent(latent.samples, guider.model, latent.madeFor);
  const sampled = await runSampler({
    guider,
    sampler: { ...parts.sampler, ...context.noise },
    sigmas: parts.sigmas,
    latent: samples,
    ...drawNoise(noise, samples.shape, latent.batchIndex, latent.random),
    noiseMask: latent.noiseMask,
    seed: noise.seed,
    ...duringRun(guider.model, context),
  });
  return [
    { ...latent, samples: sampled.samples, random: sampled.random, madeFor: undefined },
    { ...latent, samples: sampled.denoised, random: sampled.random, madeFor: undefined },
  ];
}

/** What SamplerCustom is told. */
export interface CustomSampling extends Omit<SamplingParts, 'guider'> {
  readonly model: ValueTypes['MODEL'];
  readonly positive: ValueTypes['CONDITIONING'];
  readonly negative: ValueTypes['CONDITIONING'];
  readonly cfg: number;
}

/** The same with classifier-free guidance: ComfyUI's SamplerCustom. */
export function sampleCustom(sampling: CustomSampling, context: RunContext): Promise<[Latent, Latent]> {
  return sampleParts({ ...sampling, guider: cfgGuider(sampling.model, sampling, sampling.cfg) }, context);
}
