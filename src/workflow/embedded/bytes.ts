/** Bytes of a file that are read where they are looked at: films are larger than memory, and their texts are small. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface Bytes {
  readonly size: number;
  /** Those from `at` on, fewer at the end. */
  read(at: number, length: number): Buffer;
}

export function bytesOf(buffer: Uint8Array): Bytes {
  const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  return { size: bytes.length, read: (at, length) => bytes.subarray(at, at + length) };
}

/** Opens a file for as long as `use` takes. Throws what `node:fs` does. */
export function withFileBytes<Result>(path: string, use: (bytes: Bytes) => Result): Result {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    return use({
      size,
      read: (at, length) => {
        const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
        let filled = 0;
        while (filled < buffer.length) {
          const count = readSync(file, buffer, filled, buffer.length - filled, at + filled);
          if (count === 0) break;
          filled += count;
        }
        return buffer.subarray(0, filled);
      },
    });
  } finally {
    closeSync(file);
  }
}

/** Texts by their keys, as a file carries them. */
export type Texts = Map<string, string>;

/** Of one text: workflows with pictures in them take megabytes. */
export const MAX_TEXT = 32 * 2 ** 20;
/** Of all texts of a file, and how many there may be. */
const MAX_TOTAL = 128 * 2 ** 20;
const MAX_COUNT = 100;

/** The first of several with one key counts, whatever its case. */
export function addText(texts: Texts, key: string, text: string): void {
  const name = key.toLowerCase();
  let total = text.length;
  for (const each of texts.values()) total += each.length;
  if (!texts.has(name) && texts.size < MAX_COUNT && total <= MAX_TOTAL) texts.set(name, text);
}
