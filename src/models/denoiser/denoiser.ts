/** The network that predicts: a UNet, a transformer, or whatever else a family is built on. */
import type { Graph } from '../../compute/graph.js';
import type { Tensor } from '../../compute/tensor.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { ModelChange } from './changes.js';
import type { ControlResiduals } from './control.js';
import type { DeviceSampled, DeviceSampling } from './device-sampling.js';
import type { NetworkInputs } from './network-inputs.js';
import type { ModelSampling } from './model-sampling.js';

/** Where random numbers come from: torch's CPU generator. */
export interface RandomSource {
  random32(): number;
}

/** What a network is asked once. */
export interface Evaluation {
  /** N×C×…×h×w: the noised latent, scaled as the model's prediction has it. */
  readonly x: Tensor;
  /** N training timesteps, fractional ones included. */
  readonly timesteps: Float32Array;
  /** The noise level, and of each condition in the rows which prompt it is (0: with the prompt); for changes that go by them. */
  readonly sigma?: number;
  readonly prompts?: readonly number[];
  /** What the model declares in `inputs`, N rows each. */
  readonly inputs: NetworkInputs;
  readonly control?: ControlResiduals | undefined;
  /** On which changes that draw do so (HyperTile, token merging); needed with these. */
  readonly random?: RandomSource | undefined;
  /** Told how much the middle block's tokens are attended to, N×T, by a model that records it. */
  readonly onAttention?: ((received: Tensor) => void) | undefined;
}

/** A network with its weights and changes. Its program is built when it first predicts. */
export interface Denoiser {
  /** Its raw output, N×C×…×h×w. Throws `ModelError` for inputs that are another model's. */
  predict(evaluation: Evaluation): Promise<Tensor>;
  /** Undefined where device, inputs or changes leave that to the caller, an evaluation at a time. */
  sample?(sampling: DeviceSampling, levels: ModelSampling): Promise<DeviceSampled | undefined>;
}

/** An architecture of the sizes that a checkpoint has: it makes denoisers, and graphs, of weights under its keys. */
export interface Network {
  /** One evaluation without changes. Throws `ModelError` where the weights' shapes contradict each other. */
  graph(weights: WeightSource): Graph;
  open(weights: WeightSource, changes: readonly ModelChange[], programs: ProgramCache): Denoiser;
}
