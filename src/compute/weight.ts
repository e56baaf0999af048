import { bytesOf, dtypes, type StoredDType } from '../native/dtypes.js';

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
  /** Set when the values are stored ones with low-rank products added (LoRAs): backends may do that themselves. */
  readonly merged?: MergedValues;
}

export interface MergedValues {
  readonly base: StoredValues;
  readonly products: readonly LowRankProduct[];
}

/** factor · up · down, with all axes but the first taken as one. */
export interface LowRankProduct {
  /** Rows × rank. */
  readonly up: Weight;
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
}

/** What compute needs of a mapped file; the addon's `MappedFile` is one. */
export interface ReadableMapping {
  /** Converts `into.length` values of `dtype` at byte `offset` to float32. Throws `RangeError` beyond the file's end. */
  widen(offset: number, dtype: StoredDType, into: Float32Array): void;
}

/** Bytes of memory that a loaded graph holds for the weight: stored matrices stay as they are, all else is float32. */
export function heldBytes({ shape, stored }: Weight): number {
  const values = shape.reduce((product, extent) => product * extent, 1);
  const asStored = shape.length > 1 && stored !== undefined && dtypes[stored.dtype].inPlace;
  return bytesOf(asStored ? stored.dtype : 'F32', values);
}
