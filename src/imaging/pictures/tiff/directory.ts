/** TIFF's directories of tags, read as Pillow reads them (TiffImagePlugin.py, ImageFileDirectory_v2). */
import { broken } from '../fault.js';

/**
 * A tag's values. Bytes and texts are kept apart from numbers: where a number is needed they are none. They are read when asked for:
 * thousands of tags may each claim the whole file.
 */
export interface TagValue {
  readonly kind: 'numbers' | 'fractions' | 'bytes';
  values(): readonly number[];
}

export interface Directory {
  readonly tags: ReadonlyMap<number, TagValue>;
  /** Where the next one lies; undefined where this one is cut off. */
  readonly next: number | undefined;
}

export interface TiffHeader {
  readonly little: boolean;
  readonly big: boolean;
  readonly first: number;
}

const HEADERS = ['MM\0*', 'II*\0', 'MM*\0', 'II\0*', 'MM\0+', 'II+\0'];
/** Bytes a value, by a type's number, as Pillow knows them. */
export const UNIT_SIZES: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
};

export function isTiff(bytes: Buffer): boolean {
  return HEADERS.includes(bytes.toString('latin1', 0, 4));
}

export function readTiffHeader(bytes: Buffer): TiffHeader {
  const little = bytes[0] === 0x49;
  const big = bytes[2] === 43;
  if (bytes.length < (big ? 16 : 8)) throw broken('the TIFF is cut off');
  return { little, big, first: new Numbers(bytes, little).unsigned(big ? 8 : 4, big ? 8 : 4) };
}

/** A tag as it stands in the file. */
export interface RawEntry {
  readonly tag: number;
  readonly type: number;
  /** Values. */
  readonly length: number;
  /** Where they lie, by what type they seem to be. */
  readonly from: number;
}

/** The entries that the file has room for; `complete` where that is all of them. `end` is behind the last. */
export function rawEntries(
  bytes: Buffer,
  { little, big }: TiffHeader,
  start: number,
): { readonly entries: readonly RawEntry[]; readonly complete: boolean; readonly end: number } {
  const numbers = new Numbers(bytes, little);
  const [countSize, entrySize, placeSize] = big ? [8, 20, 8] : [2, 12, 4];
  if (start + countSize > bytes.length) return { entries: [], complete: false, end: start };
  const count = numbers.unsigned(start, countSize);
  const first = start + countSize;
  const there = Math.min(count, Math.floor((bytes.length - first) / entrySize));
  const entries = Array.from({ length: there }, (_, index): RawEntry => {
    const at = first + index * entrySize;
    const type = numbers.unsigned(at + 2, 2);
    const length = numbers.unsigned(at + 4, placeSize);
    const value = at + 4 + placeSize;
    const isAway = (UNIT_SIZES[type] ?? 0) * length > placeSize;
    return {
      tag: numbers.unsigned(at, 2),
      type,
      length,
      from: isAway ? numbers.unsigned(value, placeSize) : value,
    };
  });
  return { entries, complete: there === count, end: first + there * entrySize };
}

/** Tags up to the first that doesn't fit into the file. */
export function readDirectory(bytes: Buffer, header: TiffHeader, start: number): Directory {
  const numbers = new Numbers(bytes, header.little);
  const tags = new Map<number, TagValue>();
  const placeSize = header.big ? 8 : 4;
  const { entries, complete, end } = rawEntries(bytes, header, start);
  for (const { tag, type, length, from } of entries) {
    const unit = UNIT_SIZES[type];
    if (unit === undefined) continue;
    if (from + unit * length > bytes.length) return { tags, next: undefined };
    if (length > 0) tags.set(tag, valueOf(numbers, type, from, length));
  }
  if (!complete || end + placeSize > bytes.length) return { tags, next: undefined };
  return { tags, next: numbers.unsigned(end, placeSize) };
}

function valueOf(numbers: Numbers, type: number, from: number, length: number): TagValue {
  const unit = UNIT_SIZES[type]!;
  const each = (read: (at: number) => number) => () =>
    Array.from({ length }, (_, index) => read(from + index * unit));
  if (type === 1 || type === 2 || type === 7)
    return { kind: 'bytes', values: each((at) => numbers.unsigned(at, 1)) };
  if (type === 5 || type === 10 || type === 11 || type === 12) return { kind: 'fractions', values: () => [] };
  if (type === 6 || type === 8 || type === 9)
    return { kind: 'numbers', values: each((at) => numbers.signed(at, unit)) };
  return { kind: 'numbers', values: each((at) => numbers.unsigned(at, unit)) };
}

export class Numbers {
  constructor(
    private readonly bytes: Buffer,
    private readonly little: boolean,
  ) {}

  unsigned(at: number, size: number): number {
    if (size === 8) {
      const [low, high] = this.little ? [at, at + 4] : [at + 4, at];
      return this.unsigned(high, 4) * 2 ** 32 + this.unsigned(low, 4);
    }
    return this.little ? this.bytes.readUIntLE(at, size) : this.bytes.readUIntBE(at, size);
  }

  signed(at: number, size: number): number {
    if (size === 8) return Number(BigInt.asIntN(64, BigInt(this.unsigned(at, 8))));
    return this.little ? this.bytes.readIntLE(at, size) : this.bytes.readIntBE(at, size);
  }
}
