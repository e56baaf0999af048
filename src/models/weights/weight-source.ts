import type { Weight } from '../../compute/weight.js';

/** Named weights of a model part: a checkpoint's tensors under a prefix, perhaps renamed, sliced or patched by LoRAs. */
export interface WeightSource {
  /** Changes exactly when any value would (file, date and patches); programs are cached by it. */
  readonly identity: string;
  /** The file that they come from, for error messages. */
  readonly path: string;
  /** What it was before patches, where it has some. */
  readonly unpatched?: WeightSource;
  keys(): Iterable<string>;
  has(key: string): boolean;
  /** Throws `ModelError` naming the file and the key when it is missing. */
  weight(key: string): Weight;
  /** `count` rows of a matrix from row `start` on, as float32: token embeddings are read so, without their whole table. */
  rows(key: string, start: number, count: number): Float32Array;
}
