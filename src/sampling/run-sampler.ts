import { setImmediate as nextTurn } from 'node:timers/promises';
import { DeviceLost } from '../compute/device-lost.js';
import { tensor, type Tensor } from '../compute/tensor.js';
import type { DeviceSampled } from '../models/denoiser/device-sampling.js';
import { isFlow } from '../models/denoiser/model-sampling.js';
import { fromModelSpace, toModelSpace } from '../models/denoiser/latent-format.js';
import { SamplerRun, type SamplerRunInit, type SamplerSetup } from '../native/addon.js';
import { findSampler } from '../native/samplers.js';
import type { Guider } from './guider.js';
import { fitNoiseMask } from './masks.js';
import { maskedDenoiser } from './noise-mask.js';
import { drawNoise, type RandomStream } from './noise.js';
import { noisedStart, sampledEnd } from './prediction.js';
import { sampleLcmUpscale, type LatentGrowth } from './lcm-upscale.js';
import { lazily } from './lazy-cache.js';

/** Whose noise samplers add on their way: what ComfyUI draws there on a CPU (when left out), or on an NVIDIA GPU. */
export type SamplerNoise = Pick<SamplerRunInit, 'noise' | 'gpuThreads'>;

/** A sampler by ComfyUI's name, with its options (`eta`, `s_noise`, …). */
export interface SamplerChoice extends SamplerNoise, Pick<SamplerRunInit, 'options' | 'noiseSigmas'> {
  readonly name: string;
  /** The latent grows between steps: of LCM alone. */
  readonly growth?: LatentGrowth;
}

/** A step that is done. */
export interface SampledStep {
  /** 1 after the first step. */
  readonly step: number;
  readonly totalSteps: number;
  /** The denoised prediction, N×C×h×w in the model's space. */
  readonly denoised: Tensor;
}

export interface SamplingOptions {
  readonly guider: Guider;
  readonly sampler: SamplerChoice;
  /** Falling noise levels; one more than there are steps. */
  readonly sigmas: Float32Array;
  /** The latent as nodes hand it on, N×C×h×w. */
  readonly latent: Tensor;
  /** Of the latent's shape, of deviation 1. */
  readonly noise: Tensor;
  /** [N×[1×]]H×W of any size, 1 where the latent is sampled. */
  readonly noiseMask?: Tensor | undefined;
  /** For the noise that samplers add on their way. */
  readonly seed: bigint;
  /** Goes on where the noise was drawn; for models that draw at each evaluation. */
  readonly random?: RandomStream | undefined;
  /** Looked at before each evaluation; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((step: SampledStep) => void) | undefined;
}

export interface Sampled {
  /** The sampled latent as nodes hand it on, N×C×h×w. */
  readonly samples: Tensor;
  /** The last denoised prediction, likewise; the samples where there was none. */
  readonly denoised: Tensor;
  /** Where torch's generator is now. */
  readonly random: RandomStream | undefined;
}

/**
 * Samples a latent along a schedule (ComfyUI comfy/samplers.py, CFGGuider.inner_sample and KSAMPLER.sample). Between
 * evaluations of the network the event loop gets a turn. Throws `RangeError` for unknown samplers or options, and for latents
 * that don't fit the model.
 */
export async function runSampler(options: SamplingOptions): Promise<Sampled> {
  const { guider, sampler, sigmas, noise, seed, signal, progress } = options;
  const { latentFormat, sampling, guidance } = guider.model;
  const { randomInpaintNoise } = findSampler(sampler.name);
  if (sigmas.length === 0)
    return { samples: options.latent, denoised: options.latent, random: options.random };
  requireLevels(sigmas);
  requireLatent(options);

  // ComfyUI leaves an empty latent unshifted, so that 0 stays 0.
  const latent = isEmpty(options.latent) ? options.latent : toModelSpace(latentFormat, options.latent);
  const noiseMask =
    options.noiseMask === undefined ? undefined : fitNoiseMask(options.noiseMask, latent.shape);
  // Such a sampler begins torch's global generator anew, and draws noise there whether or not a mask wants it.
  const kept: Pick<SamplingOptions, 'noise' | 'random'> = randomInpaintNoise
    ? drawNoise({ seed: following(seed) }, latent.shape)
    : { noise, random: options.random };
  const ready = guider.ready({
    latent,
    noiseMask,
    seed,
    random: kept.random,
    highestSigma: Math.max(...sigmas),
  });
  const { cache } = guidance;
  const guided = cache?.of === 'prediction' ? lazily(ready, cache, sampling) : ready;
  const denoiser =
    noiseMask === undefined
      ? guided
      : maskedDenoiser(guided, {
          sampling,
          mask: noiseMask,
          maskAt: guidance.noiseMask,
          sigmas,
          latent,
          noise: kept.noise,
          clean: guider.model.keepsLatentClean,
        });

  const x = noisedStart(sampling, latent, noise, sigmas[0]!);
  const { name, growth, ...choices } = sampler;
  const init = { x: x.data, sigmas, seed, levels: sampling.levels, flow: isFlow(sampling), ...choices };
  const finished = (sample: Tensor, last: Tensor | undefined): Sampled => {
    const samples = fromModelSpace(
      latentFormat,
      sampledEnd(sampling, sample, lastLevel(sampler.name, sigmas)),
    );
    const denoised = last === undefined ? samples : fromModelSpace(latentFormat, last);
    return { samples, denoised, random: kept.random };
  };
  if (growth !== undefined) {
    const steps = sigmas.length - 1;
    const told = async (noised: Tensor, sigma: number, needsUncond: boolean) => {
      await nextTurn();
      signal?.throwIfAborted();
      return denoiser(noised, sigma, needsUncond);
    };
    const random = kept.random ?? drawNoise({ seed }, latent.shape).random;
    const grown = await sampleLcmUpscale(x, sigmas, growth, told, random, (step, denoised) =>
      progress?.({ step, totalSteps: steps, denoised }),
    );
    return finished(grown.sample, grown.denoised);
  }
  const passDraws = (from: number, to: number): number => {
    // On a GPU samplers draw on its own generator.
    for (let draw = from; sampler.noise !== 'gpu' && draw < to; draw++)
      kept.random?.passNormals(x.data.length);
    return to;
  };
  if (noiseMask === undefined) {
    const sampled = await sampleOnDevice(options, latent, { name, init });
    if (sampled !== undefined) {
      passDraws(0, sampled.globalDraws);
      return finished(sampled.sample, sampled.denoised);
    }
  }
  const run = new SamplerRun(name, init);
  let reported = 0;
  let passed = 0;
  for (let request = run.next(); request !== undefined; request = run.next()) {
    await nextTurn();
    signal?.throwIfAborted();
    passed = passDraws(passed, run.globalDraws);
    const noised = tensor(latent.shape, request.x);
    const { denoised, uncond } = await denoiser(noised, request.sigma, request.needsUncond);
    run.provide(denoised.data, request.needsUncond ? uncond.data : undefined);
    const last = run.step === reported ? undefined : run.denoised;
    if (last === undefined) continue;
    reported = run.step;
    progress?.({ step: reported, totalSteps: run.totalSteps, denoised: tensor(latent.shape, last) });
  }
  return finished(tensor(latent.shape, run.result), run.denoised && tensor(latent.shape, run.denoised));
}

/**
 * The same on the network's device, where that can drive the sampler and the guidance is as simple as that takes. A device that is
 * lost meanwhile leaves it to the caller, from the start.
 */
async function sampleOnDevice(
  { guider, sampler: { name }, seed, signal, progress }: SamplingOptions,
  latent: Tensor,
  sampler: SamplerSetup,
): Promise<DeviceSampled | undefined> {
  const plain = guider.plain?.({ latent, seed }, findSampler(name).needsUncond);
  if (plain === undefined) return undefined;
  signal?.throwIfAborted();
  try {
    return await guider.model.sample?.({
      ...plain,
      shape: latent.shape,
      sampler,
      signal,
      progress(step, totalSteps, denoised) {
        progress?.({ step, totalSteps, denoised: tensor(latent.shape, denoised) });
      },
    });
  } catch (error) {
    if (error instanceof DeviceLost) return undefined;
    throw error;
  }
}

/** ComfyUI's uni_pc writes 0.001 over a last level of 0, and a flow's result is divided by what that leaves. */
function lastLevel(sampler: string, sigmas: Float32Array): number {
  const last = sigmas.at(-1)!;
  return last === 0 && sampler.startsWith('uni_pc') ? 0.001 : last;
}

function requireLevels(sigmas: Float32Array): void {
  const index = sigmas.findIndex((sigma) => !(sigma >= 0));
  if (index === -1) return;
  throw new RangeError(
    `noise level ${index} of the schedule is ${sigmas[index]}, it has to be a number from 0 up; kl_optimal, for one, has none in a single step`,
  );
}

function requireLatent({ guider, latent, noise }: SamplingOptions): void {
  const { family, latentFormat } = guider.model;
  const [, channels] = latent.shape;
  const rank = 2 + (latentFormat.dimensions ?? 2);
  if (latent.shape.length !== rank || channels !== latentFormat.channels) {
    throw new RangeError(
      `this ${family} model samples latents of ${latentFormat.channels} channels${rank === 5 ? ' and frames' : ''}, this one is [${latent.shape.join(', ')}]`,
    );
  }
  if (noise.shape.join() !== latent.shape.join()) {
    throw new RangeError(
      `noise of [${noise.shape.join(', ')}] can't be put on a latent of [${latent.shape.join(', ')}]`,
    );
  }
}

function isEmpty(latent: Tensor): boolean {
  return latent.data.every((value) => value === 0);
}

/** The seed after `seed`, in 64 bits (ComfyUI KSAMPLER.sample, inpaint_options random). */
function following(seed: bigint): bigint {
  return BigInt.asUintN(64, seed + 1n);
}
