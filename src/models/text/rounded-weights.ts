import type { Weight } from '../../compute/weight.js';
import type { WeightSource } from '../weights/weight-source.js';

/** A number type that weights are kept in while they are computed with in float32. */
export interface KeptType {
  /** For the source's identity: `f16`. */
  readonly name: string;
  /** Whether a weight holds such values as it is. */
  readonly fits: (weight: Weight) => boolean;
  /** Rounds float32 values in place. */
  readonly round: (values: Float32Array) => void;
}

/** `source` with every value rounded; what fits is left where it lies. */
export function roundedWeights(source: WeightSource, { name, fits, round }: KeptType): WeightSource {
  const rounded = (weight: Weight): Weight => {
    if (fits(weight)) return weight;
    return {
      name: weight.name,
      shape: weight.shape,
      read(into) {
        weight.read(into);
        round(into);
      },
    };
  };
  return {
    path: source.path,
    identity: `${source.identity}/${name}`,
    keys: () => source.keys(),
    has: (key) => source.has(key),
    weight: (key) => rounded(source.weight(key)),
    rows(key, start, count) {
      const values = source.rows(key, start, count);
      if (!fits(source.weight(key))) round(values);
      return values;
    },
  };
}
