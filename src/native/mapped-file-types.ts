/** Files mapped into memory, whose bytes weights are read from. */
import type { StoredDType } from './dtypes.js';

/** A mapped file as another addon reads it; nothing can be done with it in JavaScript. */
export interface MappedBytes {
  readonly mappedBytes: unique symbol;
}

/**
 * A file mapped read-only into memory; pages are read when they are first touched. A file must not be truncated while it
 * is mapped.
 */
export interface MappedFile {
  /** Bytes. */
  readonly size: number;
  /** A copy of `length` bytes at byte `offset`. Throws `RangeError` beyond the file's end. */
  read(offset: number, length: number): Uint8Array;
  /**
   * Converts `into.length` values of `dtype`, whole blocks, at byte `offset`, aligned or not. Throws `RangeError` beyond the end,
   * `TypeError` for a type whose values can't be read.
   */
  widen(offset: number, dtype: StoredDType, into: Float32Array): void;
  /** For the CUDA addon: the file stays mapped, closed or not, as long as this value is referenced. */
  hold(): MappedBytes;
  /** Unmaps the file; every later use but `close` throws. */
  close(): void;
}
