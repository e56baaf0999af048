/**
 * What a network is given beside the noised latent and the time (ComfyUI comfy/model_base.py, `extra_conds`): text, sizes, guidance,
 * masks, pictures. A family declares its inputs; sampling prepares, cuts and joins them without knowing what they are.
 */
import type { Tensor } from '../../compute/tensor.js';
import type { ConditioningEntry, PromptRole } from './conditioning.js';
import type { LatentFormat } from './latent-format.js';
import type { InputKind, NetworkInputs } from './network-inputs.js';

/** What one run samples, as far as inputs are made of it. */
export interface InputContext {
  /** Whose prompt the entry is. */
  readonly role: PromptRole;
  /** N×C×…×h×w in the model's space: the picture that the noise is put on, or zeros. */
  readonly latent: Tensor;
  /** N×1×h×w, 1 where it is sampled. */
  readonly noiseMask?: Tensor | undefined;
  readonly latentFormat: LatentFormat;
  /** The run's. */
  readonly seed: bigint;
}

export interface DenoiserInput {
  /** As the network calls it. */
  readonly name: string;
  readonly kind: InputKind;
  /**
   * Made once a run for each entry of a conditioning. Several (reference pictures, say) are inputs `NAME.0`, `NAME.1`, …; undefined
   * is none. Throws `ModelError` where the entry lacks what it takes.
   */
  prepare(entry: ConditioningEntry, context: InputContext): Tensor | readonly Tensor[] | undefined;
}

/** Every input that `entry` has something for. */
export function prepareInputs(
  inputs: readonly DenoiserInput[],
  entry: ConditioningEntry,
  context: InputContext,
): NetworkInputs {
  const prepared: Record<string, Tensor> = {};
  for (const input of inputs) {
    const value = input.prepare(entry, context);
    if (value === undefined) continue;
    if ('shape' in value) prepared[input.name] = value;
    else value.forEach((each, index) => (prepared[`${input.name}.${index}`] = each));
  }
  return prepared;
}

/** The kind of the prepared input `name`. */
export function inputKind(inputs: readonly DenoiserInput[], name: string): InputKind {
  const declared = inputs.find((input) => input.name === name.replace(/\.\d+$/, ''));
  if (declared === undefined) throw new Error(`the model declares no input ${name}`);
  return declared.kind;
}
