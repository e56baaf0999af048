/** What a kernel computes with its results before it writes them: the operations behind it that are fused to it. */
import type { Value } from './value.js';
import type { Weight } from './weight.js';

/** `gelu_tanh` is torch's gelu with approximate="tanh". */
export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'quick_gelu' | 'relu' | 'sigmoid' | 'tanh';

/** Of the activations, those that products take along. */
export type FusedActivation = 'silu' | 'gelu' | 'gelu_tanh' | 'quick_gelu' | 'geglu';

/** In this order: + sums, activation or leaky relu, + residual. */
export interface Epilogue {
  /** N×C, added to every pixel. */
  readonly sums?: Value;
  readonly activation?: FusedActivation;
  /** Instead of `activation`, a leaky relu's slope: one for all channels, or one for each. */
  readonly slope?: number | Weight;
  readonly residual?: Value;
}

/** One operation as a part of an epilogue. */
export type EpilogueStep = {
  [Part in keyof Epilogue]-?: { readonly part: Part; readonly is: NonNullable<Epilogue[Part]> };
}[keyof Epilogue];
