import { bytesOf, dtypes, type StoredDType } from '../native/dtypes.js';
import type { SCALE_KIND } from '../native/kernel-numbers.js';

/**
 * A parameter of a graph: a name, a shape, and a way to its values. Nothing is read when a graph is built; a backend reads
 * each weight once, when the graph is loaded, into memory that it owns.
 */
export interface Weight {
  /** The checkpoint's key, for error messages. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Writes the values as float32, row-major; `into.length` is the product of `shape`. */
  read(into: Float32Array): void;
  /**
   * Set when the values lie in a mapped file just as they are (no LoRA, no slice): backends may take them from there, if their
   * type is used in place.
   */
  readonly stored?: StoredValues;
  /** What is kept of its sums with patches, where they are rounded: F16 in GGUF files, as ComfyUI-GGUF does (nodes.py, patch_weight_to_device). */
  readonly patchedAs?: 'F16';
  /** Set when the values are stored ones with low-rank products added (LoRAs): backends may do that themselves. */
  readonly merged?: MergedValues;
  /** Set when the rows are those of other weights, one after the other. */
  readonly parts?: readonly Weight[];
}

export interface MergedValues {
  readonly base: StoredValues;
  readonly products: readonly LowRankProduct[];
}

/** factor · up · down, with all axes but the first taken as one. */
export interface LowRankProduct {
  /** Rows × rank. */
  readonly up: Weight;
  /** The weight's rows that it is added to, as many as `up` has; all of them when left out. */
  readonly rows?: { readonly start: number; readonly count: number };
  /** Rank × values of a row. */
  readonly down: Weight;
  readonly factor: number;
}

export type { StoredDType };

/** A run of values in a memory-mapped file. */
export interface StoredValues {
  readonly file: ReadableMapping;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly dtype: StoredDType;
  /** What every value is multiplied by; 1 where it is left out. */
  readonly scale?: number;
  /** Scales that lie beside the values. */
  readonly scales?: ScalesBeside;
}

/** Scales of a matrix in its file: one for each row, or for each block of one. */
export interface ScalesBeside {
  /** `one`: only `scale` counts, and the values are codes that nothing else makes numbers of. */
  readonly kind: keyof typeof SCALE_KIND;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly rowLength: number;
  readonly firstRow: number;
}

/** Whether kernels use the values where they lie. */
export function usableInPlace({ dtype, scales }: StoredValues): boolean {
  return scales !== undefined || dtypes[dtype].inPlace;
}

/** What compute needs of a mapped file; the addon's `MappedFile` is one. */
export interface ReadableMapping {
  /** Converts `into.length` values of `dtype` at byte `offset` to float32. Throws `RangeError` beyond the file's end. */
  widen(offset: number, dtype: StoredDType, into: Float32Array): void;
}

/** Bytes of memory that a loaded graph holds for the weight: stored matrices stay as they are, all else is float32. */
export function heldBytes(weight: Weight): number {
  const { shape } = weight;
  const values = shape.reduce((product, extent) => product * extent, 1);
  const stored = weight.stored ?? separateProducts(weight)?.base;
  const asStored = shape.length > 1 && stored !== undefined && usableInPlace(stored);
  return bytesOf(asStored ? stored.dtype : 'F32', values);
}

/** Of a matrix's own work, what products beside it may cost. */
const MOST_BESIDE = 1 / 4;

/**
 * A matrix whose products are better computed beside it, layer by layer, than added to it: then it stays where it lies in its file. Undefined
 * where they cost too much, or there are none.
 */
export function separateProducts({ shape, merged }: Weight): MergedValues | undefined {
  const [rows, columns] = shape;
  if (merged === undefined || rows === undefined || columns === undefined || shape.length !== 2)
    return undefined;
  if (!usableInPlace(merged.base)) return undefined;
  const cost = merged.products.reduce((sum, { down }) => sum + down.shape[0]! * (rows + columns), 0);
  return cost <= MOST_BESIDE * rows * columns ? merged : undefined;
}

/** A product's `up` with a row for each of `all`: zeros where it adds nothing. */
export function wholeUp({ up, rows }: LowRankProduct, all: number): Weight {
  if (rows === undefined) return up;
  const rank = up.shape.slice(1).reduce((product, extent) => product * extent, 1);
  return {
    name: up.name,
    shape: [all, rank],
    read(into) {
      into.fill(0);
      up.read(into.subarray(rows.start * rank, (rows.start + rows.count) * rank));
    },
  };
}
