/** The transformer of a text encoder whose prompts are rows of any length. */
import type { Tensor } from '../../compute/tensor.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';

/** Which of a network's hidden states are taken. */
export type LayerChoice =
  /** The last, normed. */
  | { readonly kind: 'last' }
  /** What leaves one layer, counted from 0. */
  | { readonly kind: 'output'; readonly layer: number; readonly normalized: boolean }
  /** What enters these layers; one more than there are is the last, normed. */
  | { readonly kind: 'inputs'; readonly layers: readonly number[] };

export interface NetworkRun {
  readonly name: string;
  readonly weights: WeightSource;
  readonly programs: ProgramCache;
  readonly layers: LayerChoice;
  /** 1×T×C. */
  readonly embeddings: Tensor;
  /** Of each token, 0 where it is hidden; undefined where none is. */
  readonly mask: readonly number[] | undefined;
  /** Of each token along three axes, where a picture is among them: time, row, column. */
  readonly positions?: readonly (readonly number[])[] | undefined;
}

export interface TextNetwork {
  /** The key of the token embeddings. */
  readonly embedding: string;
  /** What token embeddings are multiplied by. */
  readonly scale: (width: number) => number;
  readonly depth: (weights: WeightSource) => number;
  /** The chosen hidden states, 1×T×C each. Throws `ModelError` where the weights are another network's. */
  run(run: NetworkRun): Promise<readonly Tensor[]>;
}

/** What names a choice of layers in the key of a program. */
export function choiceKey(layers: LayerChoice): string {
  switch (layers.kind) {
    case 'last':
      return 'last';
    case 'output':
      return `${layers.layer}${layers.normalized ? ' normed' : ''}`;
    case 'inputs':
      return `inputs ${layers.layers.join(' ')}`;
  }
}
