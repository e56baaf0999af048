/** Synthetic weights that are made when they are read, without a file. */
import { fillSynthetic, type Manifest } from './synthetic.js';
import type { WeightSource } from '../../src/models/weights/weight-source.js';

/** The checkpoint that `manifest` describes; `name` stands for its path. */
export function syntheticWeights(name: string, manifest: Manifest): WeightSource {
  const entry = (key: string) => {
    const found = manifest[key];
    if (found === undefined) throw new Error(`${name} has no tensor ${key}`);
    return found;
  };
  // A large matrix that is cut is read once for each part.
  let largest: { readonly key: string; readonly values: Float32Array } | undefined;
  return {
    path: name,
    identity: name,
    keys: () => Object.keys(manifest),
    has: (key) => Object.hasOwn(manifest, key),
    weight(key) {
      const [, shape] = entry(key);
      return {
        name: key,
        shape,
        read: (into) => {
          if (largest?.key === key) {
            into.set(largest.values);
            return;
          }
          fillSynthetic(key, shape, into);
          if (into.length > (largest?.values.length ?? 0)) largest = { key, values: into };
        },
      };
    },
    rows() {
      throw new Error('rows of synthetic weights are not read');
    },
  };
}
