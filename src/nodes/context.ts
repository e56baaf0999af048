import type { Tensor } from '../compute/tensor.js';
import type { Folders } from '../models/folders/folders.js';
import type { ModelStore } from '../models/model-store.js';
import type { SamplerNoise } from '../sampling/run-sampler.js';
import type { NodeGraphBuilder } from './node-graph.js';

/** What sampling reports after each step. */
export interface StepProgress {
  /** 1 after the first step. */
  readonly step: number;
  readonly totalSteps: number;
  /** The denoised prediction at this step, N×C×h×w in the model's latent space; for previews. */
  readonly denoised?: Tensor;
  /** 3 RGB factors a latent channel, and a bias, of the model's family; for previews. */
  readonly latentRgb?: LatentRgb;
  /** A better picture, where the family has a decoder for it. */
  readonly tinyDecoder?: TinyDecoder;
}

/** A small approximation of a family's decoder, for previews. */
export interface TinyDecoder {
  /** How the name of its file in `vae_approx` begins. */
  readonly file: string;
  /** Decodes the first latent of this step, to 1×H×W×3 in [0, 1]; left out where the file is not there. */
  readonly decode?: () => Promise<Tensor>;
}

/** ComfyUI's `latent_rgb_factors`: a linear picture of a latent. */
export interface LatentRgb {
  readonly factors: readonly (readonly [number, number, number])[];
  readonly bias?: readonly [number, number, number];
  /** Pixels a side that lie side by side in the channels; 1 when left out. */
  readonly patch?: number;
}

/** What a node may use while it runs. */
export interface RunContext {
  readonly folders: Folders;
  readonly models: ModelStore;
  /** Whose noise samplers add on their way. */
  readonly noise: SamplerNoise;
  /**
   * Fetches a file by its address, of a public host, with limits on size and time. Undefined where the user doesn't let workflows ask for that
   * (`allowUrls`). Rejects with an error that says why.
   */
  readonly fetchFile?:
    ((address: string, options: { readonly signal: AbortSignal }) => Promise<Buffer>) | undefined;
  /** Aborted when the job is cancelled; sampling looks at it before each step. */
  readonly signal: AbortSignal;
  /** Reports a step of the running node. */
  readonly progress: (progress: StepProgress) => void;
  /** Tells the user of something that doesn't stop the run: a LoRA's keys that found no place. */
  readonly warn: (text: string) => void;
  /** What SaveImage writes into the PNG: JSON texts by key (`prompt`, `workflow`). */
  readonly metadata: Readonly<Record<string, string>>;
  /** Id of the running node, for messages; a class whose result depends on it asks for the hidden `UNIQUE_ID`. */
  readonly nodeId: string;
  /** ComfyUI's type names of what links bring, by input: of a switch, what is behind it. */
  readonly receivedTypes: Readonly<Record<string, string>>;
  /** An empty graph for this call of the node to expand into. */
  readonly newGraph: () => NodeGraphBuilder;
}
