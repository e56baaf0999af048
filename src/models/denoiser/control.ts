/** What steers a denoiser's features from outside: ControlNets and T2I-Adapters (ComfyUI comfy/controlnet.py). */
import type { Tensor } from '../../compute/tensor.js';
import type { NetworkInputs } from './network-inputs.js';
import type { ModelSampling } from './model-sampling.js';
import type { WeightSource } from '../weights/weight-source.js';

/** What is added to a network's features, N×C×h×w each, by the network's own names of places (`middle`, `skip.0`). */
export type ControlResiduals = Readonly<Record<string, Tensor>>;

/** The evaluation of the denoiser that is to be steered. */
export interface ControlledEvaluation {
  /** N×C×…×h×w: the noised latent, before it is scaled for the network. */
  readonly x: Tensor;
  /** The same as the network sees it. */
  readonly scaled: Tensor;
  /** How many conditions the rows are of, one after the other. */
  readonly conditions: number;
  /** Which prompt each condition is of: 0 the positive, 1 the negative where both are evaluated. */
  readonly prompts: readonly number[];
  readonly sigma: number;
  /** The denoiser's. */
  readonly sampling: ModelSampling;
  readonly inputs: NetworkInputs;
  /** The denoiser's, by its own keys. */
  readonly weights: WeightSource;
}

/** Hangs on an entry of a conditioning. Entries with the same one share evaluations. */
export interface Control {
  /** Undefined at noise levels where it doesn't count. */
  residuals(evaluation: ControlledEvaluation): Promise<ControlResiduals | undefined>;
  /** The same shown changed pictures, N×H×W×3 each: parts of them, for a part of what is drawn. */
  withPictures?(change: (picture: Tensor) => Tensor): Control;
}
