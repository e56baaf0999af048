import type { GraphSampled, GraphSampling } from '../compute/graph-sampling.js';
import type { Tensor } from '../compute/tensor.js';
import type { NoiseLevels } from '../native/addon.js';
import type { Guidance } from './guidance.js';
import type { LatentFormat } from './latent-format.js';
import type { WeightPatches } from './lora/patches.js';
import type { UnetChanges } from './unet/changes.js';
import type { UnetConfig } from './unet/config.js';
import type { RandomSource } from './unet/attention-draws.js';
import type { WeightSource } from './weight-source.js';

/**
 * What the UNet's output means (ComfyUI comfy/model_sampling.py, and LCM of comfy_extras/nodes_model_advanced.py). With
 * `image` it is the denoised latent, and the noised one goes in unscaled.
 */
export type Prediction = 'epsilon' | 'v_prediction' | 'x0' | 'edm' | 'lcm' | 'image' | 'cosmos_rflow';

/** The noise levels that a model was trained on, and what it predicts. */
export interface ModelSampling {
  /** Changes when any level would. */
  readonly identity: string;
  readonly prediction: Prediction;
  /** Standard deviation of the data: 1, or 0.5 for Playground 2.5. */
  readonly sigmaData: number;
  /** Sigmas, timesteps and schedules. */
  readonly levels: NoiseLevels;
}

export type FamilyName = 'sd1' | 'sd2' | 'sdxl' | 'sdxl_refiner';

export interface UnetInputs {
  /** N×Cin×h×w: the scaled latent, with mask and masked latent beside it for inpainting models. */
  readonly x: Tensor;
  /** N training timesteps, fractional ones included. */
  readonly timesteps: Float32Array;
  /** N×T×C. */
  readonly context: Tensor;
  /** N×A: pooled text and size embedding, where the UNet has a label embedding. */
  readonly adm?: Tensor;
  /** On which HyperTile and token merging draw; needed with these. */
  readonly random?: RandomSource | undefined;
  /** Told how much the middle block's tokens are attended to, N×T, by a model that records it. */
  readonly onAttention?: ((received: Tensor) => void) | undefined;
}

/** A sampler to be run with a UNet where both are: on a device that can do without JavaScript between evaluations. */
export interface UnetSampling extends Pick<GraphSampling, 'sampler' | 'cfg' | 'signal' | 'progress'> {
  /** N×Cin×h×w, half of the batch with `cfg`. */
  readonly shape: readonly number[];
  readonly inputs: Pick<UnetInputs, 'context' | 'adm'>;
}

/** A denoising UNet as a checkpoint describes it. Light and immutable: weights are read when it first predicts. */
export interface DiffusionModel {
  readonly identity: string;
  readonly family: FamilyName;
  readonly unet: UnetConfig;
  readonly latentFormat: LatentFormat;
  readonly sampling: ModelSampling;
  /** How its predictions are guided. */
  readonly guidance: Guidance;
  /** How its UNet computes otherwise. */
  readonly changes: UnetChanges;
  /** The UNet's weights by their own keys (`input_blocks.1.1…to_q.weight`), for LoRAs to find theirs. */
  readonly weights: WeightSource;
  /** The UNet's raw output, N×Cout×h×w. */
  predict(inputs: UnetInputs): Promise<Tensor>;
  /** Undefined where device or model leave that to the caller, an evaluation at a time. */
  sample?(sampling: UnetSampling): Promise<GraphSampled | undefined>;
  /** The same model with patches added on top of those it has. */
  withPatches(patches: WeightPatches): DiffusionModel;
  withSampling(sampling: ModelSampling): DiffusionModel;
  withGuidance(guidance: Guidance): DiffusionModel;
  withChanges(changes: UnetChanges): DiffusionModel;
  withLatentFormat(latentFormat: LatentFormat): DiffusionModel;
}
