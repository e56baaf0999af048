import { sample, type KSamplerOptions } from '../../sampling/k-sampler.js';
import type { RunContext } from '../context.js';
import type { Latent } from '../values.js';
import { duringRun } from './progress.js';

/** What KSampler is told beside the latent. */
export type KSamplerChoices = Omit<
  KSamplerOptions,
  'latent' | 'madeFor' | 'noiseMask' | 'batchIndex' | 'random' | 'samplerNoise' | 'signal' | 'progress'
>;

/** ComfyUI's `common_ksampler`: samples a latent and keeps what else it carries, its noise mask, its rows of the batch. */
export async function sampleLatent(
  latent: Latent,
  choices: KSamplerChoices,
  context: RunContext,
): Promise<Latent> {
  const sampled = await sample({
    ...choices,
    latent: latent.samples,
    madeFor: latent.madeFor,
    noiseMask: latent.noiseMask,
    batchIndex: latent.batchIndex,
    random: latent.random,
    samplerNoise: context.noise,
    ...duringRun(choices.model, context),
  });
  return { ...latent, ...sampled, madeFor: undefined };
}
