import { elementCount } from '../../compute/tensor.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';

/** The values of a small tensor that tells a model's kind. Throws `ModelError` when it has none. */
export function valuesOf(weights: WeightSource, key: string): Float32Array {
  const weight = weights.weight(key);
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  if (values.length === 0) throw new ModelError(`${weights.path}: ${key} is empty`);
  return values;
}
