/** The weights that a model's operators name by number: matrices where they lie, short vectors widened. */
import { MappedFile, type StoredWeight } from '../../../native/addon.js';
import { bytesOf } from '../../../native/dtypes.js';
import { SCALE_KIND } from '../../../native/kernel-numbers.js';
import { usableInPlace, type Weight } from '../../weight.js';
import { elementCount } from '../../tensor.js';

export class WeightTable {
  readonly entries: (Float32Array | StoredWeight)[] = [];
  private readonly places = new Map<Weight, number>();
  /** Of the weights as they are held: stored ones in their file's type. */
  bytes = 0;

  /** The number of a convolution's or linear layer's weight. */
  matrix(weight: Weight): number {
    return this.place(weight, () => storedIn(weight) ?? widened(weight));
  }

  /** The number of a bias or a norm's weight; −1 for none. */
  vector(weight: Weight | undefined): number {
    return weight === undefined ? -1 : this.place(weight, () => widened(weight));
  }

  private place(weight: Weight, make: () => Float32Array | StoredWeight): number {
    const known = this.places.get(weight);
    if (known !== undefined) return known;
    const entry = make();
    const place = this.entries.push(entry) - 1;
    this.bytes += entry instanceof Float32Array ? entry.byteLength : bytesOf(entry.dtype, entry.count);
    this.places.set(weight, place);
    return place;
  }
}

/** The weight's place in its file, where kernels can read it as it is. */
function storedIn(weight: Weight): StoredWeight | undefined {
  const { stored } = weight;
  if (stored === undefined || !usableInPlace(stored) || !(stored.file instanceof MappedFile)) {
    return undefined;
  }
  return {
    file: stored.file,
    offset: stored.offset,
    dtype: stored.dtype,
    count: elementCount(weight.shape),
    ...(stored.scale === undefined ? {} : { scale: stored.scale }),
    ...(stored.scales === undefined
      ? {}
      : { scales: { ...stored.scales, kind: SCALE_KIND[stored.scales.kind] } }),
  };
}

export function widened(weight: Weight): Float32Array {
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  return values;
}

/** The values of a matrix, its columns one behind the other. */
export function transposedWeight(weight: Weight): Float32Array {
  const [rows, columns] = weight.shape as [number, number];
  const values = widened(weight);
  const transposed = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++) transposed[c * rows + row] = values[row * columns + c]!;
  }
  return transposed;
}
