import { elementCount } from '../../compute/tensor.js';
import type { Weight } from '../../compute/weight.js';
import type { WeightSource } from '../weights/weight-source.js';

/** A LoRA's tensors by key. It remembers which were taken, so that what nothing asked for can be reported. */
export class LoraFile {
  private readonly taken = new Set<string>();

  constructor(private readonly source: WeightSource) {}

  get identity(): string {
    return this.source.identity;
  }

  has(key: string): boolean {
    return this.source.has(key);
  }

  /** The shape of a key's tensor, if there is one; it doesn't count as taken. */
  shape(key: string): readonly number[] | undefined {
    return this.source.has(key) ? this.source.weight(key).shape : undefined;
  }

  /** The tensor of a key, if there is one. Nothing is read yet. */
  find(key: string): Weight | undefined {
    if (!this.source.has(key)) return undefined;
    this.taken.add(key);
    return this.source.weight(key);
  }

  /** The tensor of a key that must be there. Throws `ModelError` when it isn't. */
  require(key: string): Weight {
    this.taken.add(key);
    return this.source.weight(key);
  }

  /** The only value of a tensor of one value, if there is such a tensor. */
  scalar(key: string): number | undefined {
    const weight = this.find(key);
    return weight === undefined ? undefined : readValues(weight)[0];
  }

  /** Keys that nothing asked for, in the file's order. */
  untaken(): string[] {
    return [...this.source.keys()].filter((key) => !this.taken.has(key));
  }
}

/** A weight's values, read now. */
export function readValues(weight: Weight): Float32Array {
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  return values;
}
