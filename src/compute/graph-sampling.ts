import type { LentSampler } from '../native/addon.js';
import type { CardPrediction } from '../native/cuda-addon.js';
import type { Tensor } from './tensor.js';

/** A sampler that a device is to drive by itself, and what it is to make of a graph's inputs and outputs. */
export interface GraphSampling {
  /** Set up when it is clear that the device can drive it. */
  readonly sampler: () => LentSampler;
  /** Inputs that the device writes: the noised latent and the embedded timestep; and the output that answers. */
  readonly ports: { readonly x: string; readonly timeEmbedding: string; readonly out: string };
  readonly prediction: CardPrediction;
  /** Standard deviation of the data. */
  readonly sigmaData: number;
  /** Of classifier-free guidance, where the batch has an unconditional half, which is its first. */
  readonly cfg: number | undefined;
  /** Its reason is thrown before the next evaluation. */
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((step: number, totalSteps: number, denoised: Float32Array) => void) | undefined;
}

export interface GraphSampled {
  /** Of `x`'s shape, one of its halves with guidance. */
  readonly sample: Tensor;
  /** The last prediction, where there was one. */
  readonly denoised: Tensor | undefined;
  /** How often the sampler drew on torch's global generator before its last evaluation. */
  readonly globalDraws: number;
}
