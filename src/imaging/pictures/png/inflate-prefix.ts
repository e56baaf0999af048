/**
 * What comes out of a zlib stream before a fault in it. zlib's own bindings throw such output away, and Pillow shows it: rows before the
 * fault. Only damaged files come here, so it is plain rather than fast (RFC 1950 and 1951).
 */

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
];
const LENGTHS_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** `room`: the fault shows only once there is room for more output; `cut`: there is no fault, the stream or the room for it ended. */
type Reason = 'at once' | 'room' | 'cut';

class Stop extends Error {
  constructor(readonly reason: Reason) {
    super(reason);
  }
}

export interface Prefix {
  readonly bytes: Uint8Array;
  /** What ended it; undefined for a whole stream. */
  readonly reason: Reason | undefined;
  /** Bytes of the stream that the last byte of output took, and those that were read until the end. */
  readonly outputAt: number;
  readonly at: number;
}

/** At most `limit` bytes. Never throws for damage: that is where the output ends. */
export function inflatePrefix(stream: Uint8Array, limit: number): Prefix {
  const inflater = new Inflater(stream, limit);
  let reason: Reason | undefined;
  try {
    inflater.run();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    reason = error.reason;
  }
  const bytes = inflater.output.subarray(0, inflater.length);
  return { bytes, reason, outputAt: inflater.outputAt, at: inflater.consumed() };
}

/** Codes by length, in order: canonical Huffman codes are counted through bit by bit. */
interface Codes {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
  /** Codes that no symbol has: 0 for a complete set, below 0 for too many symbols. */
  readonly left: number;
}

function codesOf(lengths: readonly number[]): Codes {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length] = counts[length]! + 1;
  let left = 1;
  for (let length = 1; length < 16; length++) left = left * 2 - counts[length]!;
  const starts = new Uint16Array(17);
  for (let length = 1; length < 16; length++) starts[length + 1] = starts[length]! + counts[length]!;
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length !== 0) {
      symbols[starts[length]!] = symbol;
      starts[length] = starts[length]! + 1;
    }
  });
  // Without any code the set is empty, not incomplete.
  return { counts, symbols, left: counts[0] === lengths.length ? 0 : left };
}

const FIXED_LENGTHS = codesOf(
  Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
);
const FIXED_DISTANCES = codesOf(Array.from({ length: 32 }, () => 5));

class Inflater {
  output = new Uint8Array(1 << 16);
  length = 0;
  outputAt = 0;
  private at = 2;
  private bit = 0;
  private readonly window: number;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly limit: number,
  ) {
    this.window = 2 ** (((bytes[0] ?? 0) >> 4) + 8);
  }

  run(): void {
    const [method = 0, flags = 0] = this.bytes;
    if ((method * 256 + flags) % 31 !== 0 || method % 16 !== 8 || method >> 4 > 7) throw new Stop('at once');
    // It needs a dictionary that nobody has.
    if ((flags & 32) !== 0) throw new Stop('cut');
    let last = false;
    while (!last) {
      last = this.bits(1) === 1;
      const kind = this.bits(2);
      if (kind === 0) this.stored();
      else if (kind === 1) this.compressed(FIXED_LENGTHS, FIXED_DISTANCES);
      else if (kind === 2) this.compressed(...this.readCodes());
      else throw new Stop('at once');
    }
    this.checkSum();
  }

  consumed(): number {
    return this.bit === 0 ? this.at : this.at + 1;
  }

  private checkSum(): void {
    this.toByte();
    let [low, high] = [1, 0];
    for (let i = 0; i < this.length; i++) {
      low = (low + this.output[i]!) % 65521;
      high = (high + low) % 65521;
    }
    let stored = 0;
    for (let i = 0; i < 4; i++) stored = stored * 256 + this.bits(8);
    if (stored !== high * 65536 + low) throw new Stop('at once');
  }

  private toByte(): void {
    if (this.bit === 0) return;
    this.bit = 0;
    this.at++;
  }

  private bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw new Stop('cut');
      value |= ((byte >> this.bit) & 1) << i;
      if (++this.bit === 8) {
        this.bit = 0;
        this.at++;
      }
    }
    return value;
  }

  private put(byte: number): void {
    if (this.length >= this.limit) throw new Stop('cut');
    if (this.length === this.output.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.output);
      this.output = larger;
    }
    this.output[this.length++] = byte;
    this.outputAt = this.consumed();
  }

  private stored(): void {
    this.toByte();
    const length = this.bits(16);
    if (length !== (~this.bits(16) & 0xffff)) throw new Stop('at once');
    for (let i = 0; i < length; i++) this.put(this.bits(8));
  }

  private symbol({ counts, symbols }: Codes): number {
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length < 16; length++) {
      code |= this.bits(1);
      const count = counts[length]!;
      if (code - count < first) return symbols[index + code - first]!;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Stop('at once');
  }

  private compressed(lengths: Codes, distances: Codes): void {
    for (;;) {
      const symbol = this.symbol(lengths);
      if (symbol === 256) return;
      if (symbol < 256) {
        this.put(symbol);
        continue;
      }
      if (symbol > 285) throw new Stop('at once');
      const length = LENGTH_BASE[symbol - 257]! + this.bits(LENGTH_EXTRA[symbol - 257]!);
      const which = this.symbol(distances);
      if (which > 29) throw new Stop('at once');
      const distance = DISTANCE_BASE[which]! + this.bits(Math.max(0, (which >> 1) - 1));
      if (distance > this.length || distance > this.window) throw new Stop('room');
      for (let i = 0; i < length; i++) this.put(this.output[this.length - distance]!);
    }
  }

  private readCodes(): [Codes, Codes] {
    const [lengthCount, distanceCount, codeCount] = [this.bits(5) + 257, this.bits(5) + 1, this.bits(4) + 4];
    if (lengthCount > 286 || distanceCount > 30) throw new Stop('at once');
    const small = Array.from({ length: 19 }, () => 0);
    for (let i = 0; i < codeCount; i++) small[LENGTHS_ORDER[i]!] = this.bits(3);
    const codes = codesOf(small);
    if (codes.left !== 0 || codes.counts[0] === 19) throw new Stop('at once');
    const all: number[] = [];
    while (all.length < lengthCount + distanceCount) {
      const symbol = this.symbol(codes);
      if (symbol < 16) {
        all.push(symbol);
        continue;
      }
      if (symbol === 16 && all.length === 0) throw new Stop('at once');
      const value = symbol === 16 ? all.at(-1)! : 0;
      const times = symbol === 16 ? 3 + this.bits(2) : symbol === 17 ? 3 + this.bits(3) : 11 + this.bits(7);
      if (all.length + times > lengthCount + distanceCount) throw new Stop('at once');
      for (let i = 0; i < times; i++) all.push(value);
    }
    if (all[256] === 0) throw new Stop('at once');
    const [lengths, distances] = [codesOf(all.slice(0, lengthCount)), codesOf(all.slice(lengthCount))];
    for (const { left, counts } of [lengths, distances]) {
      // An incomplete set is allowed only where it is a single code of one bit.
      const used = counts.reduce((sum, count, length) => (length === 0 ? sum : sum + count), 0);
      if (left < 0 || (left > 0 && !(used === 1 && counts[1] === 1))) throw new Stop('at once');
    }
    return [lengths, distances];
  }
}
