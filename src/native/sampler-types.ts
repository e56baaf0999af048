/** The addon's samplers. */
import type { NoiseLevels } from './noise-levels-types.js';

/** A sampler of `KSampler`. */
export interface SamplerInfo {
  readonly name: string;
  /** CFG++: the denoiser has to give its unconditional prediction too, even at cfg 1. */
  readonly needsUncond: boolean;
  /** `KSampler` leaves the sigma before the last out for it. */
  readonly discardsPenultimateSigma: boolean;
  /** With a noise mask, what is kept is noised with fresh noise of seed + 1 instead of the initial noise. */
  readonly randomInpaintNoise: boolean;
  /** Names of the options that it takes. */
  readonly options: readonly string[];
}

/** What a sampler wants to know: x without its noise. */
export interface EvaluationRequest {
  /** The noised latent, unscaled. Its memory is used again after `provide`. */
  readonly x: Float32Array;
  readonly sigma: number;
  readonly needsUncond: boolean;
}

/**
 * Whose noise samplers add: ComfyUI's on a CPU, where it is drawn with seed + 1; that of ComfyUI 0.3.64 (2025), which took the seed
 * itself; or ComfyUI's on an NVIDIA GPU.
 */
export type NoiseKind = 'cpu' | 'cpu-0.3.64' | 'gpu';

/** How a run is set up. */
export interface SamplerRunInit {
  /** The start: noise scaled to the first sigma, plus the latent. Copied. */
  readonly x: Float32Array;
  /** Falling sigmas, one more than there are steps. */
  readonly sigmas: Float32Array;
  /** Seed of the sampler's own noise: ComfyUI gives it the one that made the initial noise. */
  readonly seed: bigint;
  readonly levels: NoiseLevels;
  /** The model is a rectified flow (ComfyUI's CONST): some samplers have other formulas for it. */
  readonly flow?: boolean;
  /** By ComfyUI's names (`eta`, `s_noise`, `s_churn`, `solver_type`, …); unknown ones are a `RangeError`. */
  readonly options?: Readonly<Record<string, number | boolean | string>>;
  /** Whose noise is reproduced; ComfyUI's on a CPU when left out. */
  readonly noise?: NoiseKind;
  /** The sigmas that the noise of SDE samplers spans, where the run is a part of a longer one; those of the run when left out. */
  readonly noiseSigmas?: Float32Array;
  /** Threads that the GPU holds at once (multiprocessors × threads of each): matters where a latent has more values. */
  readonly gpuThreads?: number;
}

/** A sampler by name, and how its run is set up: for whoever runs it natively. */
export interface SamplerSetup {
  readonly name: string;
  readonly init: SamplerRunInit;
}

/**
 * One run of a sampler, driven by the caller, who may stop at any time:
 *
 *     const run = new SamplerRun('euler', init);
 *     for (let request = run.next(); request; request = run.next()) {
 *       run.provide(await denoise(request.x, request.sigma));
 *     }
 *     return run.result;
 */
export interface SamplerRun {
  /** What the sampler waits for; undefined when it is done. The same request until it is answered. */
  next(): EvaluationRequest | undefined;
  /** Answers the request (`uncondDenoised` where it `needsUncond`) and runs to the next one. Values are copied. */
  provide(denoised: Float32Array, uncondDenoised?: Float32Array): void;
  /** The sample; throws before the run is done. A copy. */
  readonly result: Float32Array;
  /** Steps whose prediction is known: ComfyUI's callback index + 1. 0 before the first. */
  readonly step: number;
  /** `sigmas.length - 1`; dpm_fast takes fewer steps, dpm_adaptive as many as it needs. */
  readonly totalSteps: number;
  /** How often the sampler has drawn noise of the latent's size on torch's global generator. */
  readonly globalDraws: number;
  /** The denoised prediction of the last finished step: a preview, and `denoised_output` in the end. A copy. */
  readonly denoised: Float32Array | undefined;
}
