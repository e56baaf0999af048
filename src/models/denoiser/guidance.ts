/**
 * What nodes hang on a model to change how its predictions are guided (ComfyUI's model_options). It travels with the model;
 * sampling carries it out.
 */
import type { Tensor } from '../../compute/tensor.js';
import type { ModelChange } from './changes.js';
import type { Conditioning } from './conditioning.js';
import type { ModelSampling } from './model-sampling.js';

/** The predictions at one noise level. All tensors are N×C×h×w in the model's space. */
export interface GuidanceInput {
  /** The noised latent. */
  readonly x: Tensor;
  readonly sigma: number;
  readonly sampling: ModelSampling;
  readonly cfg: number;
  /** The denoised predictions with the prompt and without. */
  readonly cond: Tensor;
  readonly uncond: Tensor;
  /** Whether the latter was predicted; zeros otherwise. */
  readonly hasUncond: boolean;
  /** How much the middle block's tokens were attended to without the prompt, N×T; of models that record it. */
  readonly attention?: Tensor | undefined;
  /** The denoised prediction for another noised latent and prompt, by the model with further changes. */
  readonly evaluate: (
    prompt: Conditioning | 'positive' | 'negative',
    x: Tensor,
    changes?: readonly ModelChange[],
  ) => Promise<Tensor>;
}

export interface GuidedInput extends GuidanceInput {
  /** The guided prediction so far. */
  readonly denoised: Tensor;
}

/** Where in sampling a noise mask is asked for. */
export interface MaskedStep {
  readonly sigma: number;
  /** The whole run's levels. */
  readonly sigmas: Float32Array;
  readonly sampling: ModelSampling;
}

/** Steps that may be left out, as LazyCache and EasyCache have it. */
export interface StepCache {
  /** `prediction`: what guidance gives; `network`: what the network gives for each prompt. */
  readonly of: 'prediction' | 'network';
  /** How much may have changed since the last step that was not left out, as a share of the prediction. */
  readonly threshold: number;
  /** Shares of sampling between which steps are left out. */
  readonly start: number;
  readonly end: number;
}

type Answer<Value> = Value | Promise<Value>;

export interface Guidance {
  /** Changes when the functions, or what they hold, would. */
  readonly identity: string;
  /** The unconditional prediction is wanted at cfg 1, too. */
  readonly needsUncond?: boolean;
  /** The scale of guidance at a noise level, in place of the guider's. */
  readonly cfgAt?: (sigma: number, cfg: number) => number;
  /** Changes of both predictions, in order, before they are combined. */
  readonly before?: readonly ((input: GuidanceInput) => Answer<Pick<GuidanceInput, 'cond' | 'uncond'>>)[];
  /** Takes the place of uncond + cfg·(cond − uncond). */
  readonly combine?: (input: GuidanceInput) => Answer<Tensor>;
  /** The noise mask (N×1×h×w, 1 where the latent is sampled) that a step takes in place of the given one. */
  readonly noiseMask?: (mask: Tensor, step: MaskedStep) => Tensor;
  readonly cache?: StepCache;
  /** Changes of the guided prediction, in order. */
  readonly after?: readonly ((input: GuidedInput) => Answer<Tensor>)[];
}

/** Plain classifier-free guidance. */
export const plainGuidance: Guidance = { identity: '' };
