/** Weights computed from others when a graph is loaded. */
import { elementCount } from '../../compute/tensor.js';
import type { Weight } from '../../compute/weight.js';

/** All of a weight's values, row-major. */
export function valuesOf(weight: Weight): Float32Array {
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  return values;
}

/** A weight whose values are computed each time that they are read. */
export function computed(name: string, shape: readonly number[], values: () => Float32Array): Weight {
  return {
    name,
    shape,
    read(into) {
      into.set(values());
    },
  };
}

export function scaled(weight: Weight, factor: number): Weight {
  return computed(weight.name, weight.shape, () => valuesOf(weight).map((value) => value * factor));
}
