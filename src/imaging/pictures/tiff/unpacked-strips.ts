/** Unpacking of a strip's or tile's bytes (TIFF 6.0; what counts as damage as in libtiff). */
import { constants, inflateSync } from 'node:zlib';
import { inflatePrefix } from '../png/inflate-prefix.js';
import { DEFLATE, LZW, OLD_DEFLATE, PACKBITS } from './layout.js';

/** The compressions that are undone here. */
export const UNPACKED_HERE: readonly number[] = [LZW, DEFLATE, OLD_DEFLATE, PACKBITS];

/** Exactly `length` bytes; undefined where the data is damaged or doesn't give as many. */
export function unpackStrip(packed: Buffer, compression: number, length: number): Buffer | undefined {
  if (compression === LZW) return unpackLzw(packed, length);
  if (compression === PACKBITS) return unpackBits(packed, length);
  return unpackDeflate(packed, length);
}

function unpackDeflate(packed: Buffer, length: number): Buffer | undefined {
  try {
    const bytes = inflateSync(packed, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: length + (1 << 16),
    });
    return bytes.length < length ? undefined : bytes.subarray(0, length);
  } catch {
    // Faults behind what is needed don't matter.
    const { bytes, reason } = inflatePrefix(packed, length);
    return bytes.length < length || reason === 'at once' ? undefined : Buffer.from(bytes);
  }
}

function unpackBits(packed: Buffer, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  let [at, to] = [0, 0];
  while (at < packed.length && to < length) {
    const count = packed.readInt8(at++);
    if (count === -128) continue;
    if (count < 0) {
      if (at >= packed.length) break;
      const end = Math.min(length, to + 1 - count);
      bytes.fill(packed[at++]!, to, end);
      to = end;
    } else {
      const taken = Math.min(count + 1, length - to);
      if (at + taken > packed.length) break;
      packed.copy(bytes, to, at, at + taken);
      to += taken;
      at += count + 1;
    }
  }
  return to < length ? undefined : bytes;
}

const [CLEAR, END, FIRST] = [256, 257, 258];
/** libtiff's table has room for more codes than 12 bits can name. */
const TABLE_SIZE = 4095 + 1024;

function unpackLzw(packed: Buffer, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  const prefixes = new Uint16Array(TABLE_SIZE);
  const lengths = new Uint32Array(TABLE_SIZE).fill(1, 0, 256);
  const suffixes = new Uint8Array(TABLE_SIZE);
  for (let i = 0; i < 256; i++) suffixes[i] = i;
  let [at, bitBuffer, bitCount] = [0, 0, 0];
  let [next, size] = [FIRST, 9];
  let previous: number | undefined;
  let isCleared = false;
  let to = 0;
  while (to < length) {
    while (bitCount < size) {
      if (at >= packed.length) return undefined;
      bitBuffer = ((bitBuffer << 8) | packed[at++]!) & 0xffffff;
      bitCount += 8;
    }
    const code = (bitBuffer >> (bitCount - size)) & ((1 << size) - 1);
    bitCount -= size;
    if (code === END) return undefined;
    if (code === CLEAR) {
      lengths.fill(0, FIRST);
      [next, size, previous, isCleared] = [FIRST, 9, undefined, true];
      continue;
    }
    if (previous === undefined) {
      // Data that doesn't begin with a clear code counts as damaged.
      if (code > CLEAR || !isCleared) return undefined;
      bytes[to++] = code;
      previous = code;
      continue;
    }
    if (next >= TABLE_SIZE || code > next) return undefined;
    prefixes[next] = previous;
    lengths[next] = lengths[previous]! + 1;
    suffixes[next] = firstOf(code === next ? previous : code);
    next++;
    if (next > (1 << size) - 2 && size < 12) size++;
    const count = lengths[code]!;
    if (count === 0) return undefined;
    let walk = code;
    for (let place = to + count - 1; place >= to; place--) {
      if (place < length) bytes[place] = suffixes[walk]!;
      walk = prefixes[walk]!;
    }
    to += count;
    previous = code;
  }
  return bytes;

  function firstOf(code: number): number {
    let walk = code;
    while (walk >= FIRST) walk = prefixes[walk]!;
    return walk;
  }
}

/** Undoes horizontal differencing in a row of `columns` pixels. */
export function undoPredictor(row: Buffer, bits: number, samples: number, little: boolean): void {
  if (bits === 8) {
    for (let i = samples; i < row.length; i++) row[i] = row[i]! + row[i - samples]!;
    return;
  }
  const bytes = bits / 8;
  const [read, write] = little
    ? [
        (at: number) => row.readUIntLE(at, bytes),
        (value: number, at: number) => row.writeUIntLE(value, at, bytes),
      ]
    : [
        (at: number) => row.readUIntBE(at, bytes),
        (value: number, at: number) => row.writeUIntBE(value, at, bytes),
      ];
  for (let at = samples * bytes; at + bytes <= row.length; at += bytes)
    write((read(at) + read(at - samples * bytes)) % 2 ** bits, at);
}

const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let result = 0;
  for (let bit = 0; bit < 8; bit++) result |= ((byte >> bit) & 1) << (7 - bit);
  return result;
});

export function reversedBits(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => REVERSED[byte]!));
}
