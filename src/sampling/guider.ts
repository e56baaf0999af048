import type { Tensor } from '../compute/tensor.js';
import type { Conditioning } from '../models/denoiser/conditioning.js';
import type { NetworkInputs } from '../models/denoiser/network-inputs.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import type { ModelChange } from '../models/denoiser/changes.js';
import type { GuidanceInput } from '../models/denoiser/guidance.js';
import { prepareConditions, type Condition, type LatentInput, type PromptInput } from './conditions.js';
import { commonInputs, predictDenoised } from './predict.js';
import { HookedModels } from './hooked-models.js';
import { NetworkCache } from './network-cache.js';

/** A guided prediction of what is under the noise, N×C×h×w. */
export interface Denoised {
  readonly denoised: Tensor;
  /** The prediction without the prompt, for samplers that ask for it (CFG++). */
  readonly uncond: Tensor;
}

/** Answers a sampler; `needsUncond` when it will use the unconditional half whatever the guidance. */
export type Denoise = (x: Tensor, sigma: number, needsUncond: boolean) => Promise<Denoised>;

/** How a model's predictions are guided. `ready` makes it so for one run: conditionings depend on the latent. */
export interface Guider {
  readonly model: DiffusionModel;
  ready(input: Omit<LatentInput, 'model'>): Denoise;
  /** The same as data, where it is that simple. */
  plain?(input: Omit<LatentInput, 'model'>, needsUncond: boolean): PlainGuidance | undefined;
}

/** Guidance that is one evaluation of the network, whatever the noise level, and uncond + cfg·(cond − uncond). */
export interface PlainGuidance {
  /** The unconditional prompt's, and then the other's; the latter's alone without `cfg`. */
  readonly inputs: NetworkInputs;
  readonly cfg: number | undefined;
}

/** Prompts made ready for one run, and a way to predict with them. */
export class ReadyPrompts<Name extends string> {
  private readonly conditions: Readonly<Record<Name, readonly Condition[]>>;
  private readonly cache: NetworkCache<Condition> | undefined;
  private readonly hooked: HookedModels;

  constructor(
    private readonly input: LatentInput,
    prompts: Readonly<Record<Name, PromptInput>>,
  ) {
    const names = Object.keys(prompts) as Name[];
    const lists = prepareConditions(
      names.map((name) => prompts[name]),
      input,
    );
    this.conditions = Object.fromEntries(
      names.map((name, index) => [name, lists[index]!]),
    ) as typeof this.conditions;
    this.hooked = new HookedModels(input.highestSigma ?? Infinity);
    const { guidance, sampling } = input.model;
    const { cache } = guidance;
    this.cache = cache?.of === 'network' ? new NetworkCache(cache, sampling) : undefined;
  }

  /**
   * How much the middle block's tokens were attended to in the last evaluation with the prompt that was named second, N×T; where
   * the model records it. ComfyUI's SelfAttentionGuidance looks at the second of any guider's prompts.
   */
  attention: Tensor | undefined;

  /** The network's inputs as one batch, the last name's first, where one evaluation is all that these prompts take. */
  commonInputs(names: readonly Name[]): NetworkInputs | undefined {
    const { model, latent } = this.input;
    return commonInputs(
      model,
      names.map((name) => this.conditions[name]),
      latent,
    );
  }

  /** The denoised prediction of each named prompt; zeros for those left out. */
  predict(
    names: readonly (Name | undefined)[],
    x: Tensor,
    sigma: number,
    changes: readonly ModelChange[] = [],
  ): Promise<Tensor[]> {
    const prompts = names.map((name) => (name === undefined ? undefined : this.conditions[name]));
    const { random } = this.input;
    const { hooked } = this;
    const model = changed(this.input.model, changes);
    const onAttention = (prompt: number, received: Tensor) => {
      if (prompt === 1) this.attention = received;
    };
    // Another network's outputs are no measure of this one's.
    const cache = changes.length === 0 ? this.cache : undefined;
    return predictDenoised(model, prompts, x, sigma, { random, onAttention, cache, hooked });
  }

  /** The denoised prediction of a prompt that isn't among these. */
  async predictOther(
    conditioning: Conditioning,
    x: Tensor,
    sigma: number,
    changes: readonly ModelChange[] = [],
  ): Promise<Tensor> {
    const conditions = prepareConditions([{ conditioning, role: 'negative' }], this.input);
    const { random } = this.input;
    const model = changed(this.input.model, changes);
    const [denoised] = await predictDenoised(model, conditions, x, sigma, { random, hooked: this.hooked });
    return denoised!;
  }
}

function changed(model: DiffusionModel, changes: readonly ModelChange[]): DiffusionModel {
  return changes.length === 0 ? model : model.withChanges([...model.changes, ...changes]);
}

/** `evaluate` for a model's guidance, over the prompts that it calls positive and negative. */
export function evaluation<Name extends string>(
  prompts: ReadyPrompts<Name>,
  names: Readonly<Record<'positive' | 'negative', Name>>,
  sigma: number,
): GuidanceInput['evaluate'] {
  return async (prompt, x, changes) => {
    if (typeof prompt !== 'string') return prompts.predictOther(prompt, x, sigma, changes);
    const [denoised] = await prompts.predict([names[prompt]], x, sigma, changes);
    return denoised!;
  };
}
