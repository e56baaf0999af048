import type { Tensor } from '../compute/tensor.js';
import type { Conditioning } from '../models/denoiser/conditioning.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import { kSamplerSigmas } from '../native/samplers.js';
import { cfgGuider } from './cfg-guider.js';
import { fitEmptyLatent, type LatentScale } from './empty-latent.js';
import { drawNoise, type RandomStream } from './noise.js';
import { runSampler, type Sampled, type SampledStep, type SamplerNoise } from './run-sampler.js';

/** What KSampler and KSamplerAdvanced take. */
export interface KSamplerOptions {
  readonly model: DiffusionModel;
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  readonly cfg: number;
  readonly samplerName: string;
  readonly scheduler: string;
  readonly steps: number;
  /** Share of the schedule that is sampled, 0 to 1; 1 when left out. */
  readonly denoise?: number;
  readonly seed: bigint;
  /** N×C×h×w, as nodes hand it on. */
  readonly latent: Tensor;
  /** What the latent was made for, where it is an empty one. */
  readonly madeFor?: LatentScale | undefined;
  /** [N×[1×]]H×W, 1 where the latent is sampled. */
  readonly noiseMask?: Tensor | undefined;
  /** For each row, which draw of the noise it takes. */
  readonly batchIndex?: readonly number[] | undefined;
  /** Where the last sampling of this latent left torch's generator. */
  readonly random?: RandomStream | undefined;
  /** Noise is in the latent already (KSamplerAdvanced's `add_noise` disabled). */
  readonly withoutNoise?: boolean;
  /** Steps of the schedule to do, the end not included; all of them when left out. */
  readonly startStep?: number;
  readonly endStep?: number;
  /** The last step of an early end goes to no noise at all (`return_with_leftover_noise` disabled). */
  readonly forceFullDenoise?: boolean;
  /** Whose noise ancestral samplers add; a CPU's when left out. */
  readonly samplerNoise?: SamplerNoise;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((step: SampledStep) => void) | undefined;
}

/**
 * ComfyUI's KSampler and KSamplerAdvanced (nodes.py, common_ksampler): the sampled latent, as nodes hand it on.
 * Throws `RangeError` for unknown samplers and schedulers, with the nearest names.
 */
export async function sample(options: KSamplerOptions): Promise<Pick<Sampled, 'samples' | 'random'>> {
  const { model, positive, negative, cfg, samplerName, seed, noiseMask, batchIndex, signal, progress } =
    options;
  const latent = fitEmptyLatent(options.latent, model, options.madeFor);
  const source = { seed, disabled: options.withoutNoise === true };
  const drawn = drawNoise(source, latent.shape, batchIndex, options.random);
  const sigmas = stepRange(scheduleOf(options), options);
  if (sigmas === undefined) return { samples: latent, random: drawn.random };
  const { samples, random } = await runSampler({
    guider: cfgGuider(model, { positive, negative }, cfg),
    sampler: { name: samplerName, ...options.samplerNoise },
    sigmas,
    latent,
    ...drawn,
    noiseMask,
    seed,
    signal,
    progress,
  });
  return { samples, random };
}

function scheduleOf({ model, samplerName, scheduler, steps, denoise = 1 }: KSamplerOptions): Float32Array {
  return kSamplerSigmas(model.sampling.levels, { sampler: samplerName, scheduler, steps, denoise });
}

/** The part of a schedule between two steps, or nothing when the range is empty (ComfyUI KSampler.sample). */
function stepRange(
  sigmas: Float32Array,
  {
    startStep,
    endStep,
    forceFullDenoise,
  }: Pick<KSamplerOptions, 'startStep' | 'endStep' | 'forceFullDenoise'>,
): Float32Array | undefined {
  let range = sigmas;
  if (endStep !== undefined && endStep < range.length - 1) {
    range = range.slice(0, endStep + 1);
    if (forceFullDenoise === true) range[range.length - 1] = 0;
  }
  if (startStep !== undefined) {
    if (startStep >= range.length - 1) return undefined;
    range = range.slice(startStep);
  }
  return range;
}
