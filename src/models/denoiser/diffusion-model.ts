import type { Tensor } from '../../compute/tensor.js';
import type { LoraName } from '../weights/lora-name.js';
import type { WeightPatches } from '../weights/weight-patches.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { ModelChange } from './changes.js';
import type { Evaluation } from './denoiser.js';
import type { DenoiserInput } from './denoiser-input.js';
import type { DeviceSampled, DeviceSampling } from './device-sampling.js';
import type { Guidance } from './guidance.js';
import type { LatentFormat } from './latent-format.js';
import type { ModelSampling } from './model-sampling.js';

export type { LoraName, WeightRows } from '../weights/lora-name.js';

/** A denoiser as a checkpoint describes it, with all that sampling needs. Light and immutable: weights are read when it first predicts. */
export interface DiffusionModel {
  readonly identity: string;
  /** For messages. What differs between families is told by the other fields. */
  readonly family: string;
  /** What the denoiser takes beside latent and time. */
  readonly inputs: readonly DenoiserInput[];
  readonly latentFormat: LatentFormat;
  readonly sampling: ModelSampling;
  /** Where a mask keeps the latent, the network sees it without noise. */
  readonly keepsLatentClean?: boolean | undefined;
  /** How its predictions are guided. */
  readonly guidance: Guidance;
  /** How its network computes otherwise, in order. */
  readonly changes: readonly ModelChange[];
  /** The denoiser's weights by their own keys (`input_blocks.1.1…to_q.weight`), for LoRAs to find theirs. */
  readonly weights: WeightSource;
  /** Names that LoRAs have for its weights beside their keys; where several name one, the last found counts. */
  loraNames(): Iterable<LoraName>;
  /** The denoiser's raw output, N×C×…×h×w. */
  predict(evaluation: Evaluation): Promise<Tensor>;
  /** Undefined where device or model leave that to the caller, an evaluation at a time. */
  sample?(sampling: DeviceSampling): Promise<DeviceSampled | undefined>;
  /** The same model with patches added on top of those it has. */
  withPatches(patches: WeightPatches): DiffusionModel;
  withSampling(sampling: ModelSampling): DiffusionModel;
  withGuidance(guidance: Guidance): DiffusionModel;
  withChanges(changes: readonly ModelChange[]): DiffusionModel;
  withLatentFormat(latentFormat: LatentFormat): DiffusionModel;
}
