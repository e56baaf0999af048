/** Small networks that change what keys and values are made of (A1111's hypernetworks). */
import type { WeightSource } from '../weights/weight-source.js';

export type HypernetworkActivation =
  'linear' | 'relu' | 'leakyrelu' | 'elu' | 'swish' | 'tanh' | 'sigmoid' | 'softsign' | 'mish';

/** A layer, its weights under `path`. */
export type HypernetworkLayer =
  | { readonly kind: 'linear' | 'norm'; readonly path: string }
  | { readonly kind: 'activation'; readonly function: Exclude<HypernetworkActivation, 'linear'> };

export interface Hypernetwork {
  /** Changes with the file. */
  readonly identity: string;
  readonly weights: WeightSource;
  /** By the width of what keys and values are made of: the keys' network, and the values'. */
  readonly networks: ReadonlyMap<
    number,
    readonly [key: readonly HypernetworkLayer[], value: readonly HypernetworkLayer[]]
  >;
  /** Its identity, which stands for it where changes are written down. */
  toJSON(): string;
}
