import { PickleError } from './values.js';

/** Bytes of whole numbers: the longest that torch writes, its magic number, has ten. */
const longestNumber = 16;

/** surrogatepass, which Python writes with, has no counterpart here; no key has a lone surrogate. */
const decoders = {
  'utf-8': new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  latin1: new TextDecoder('latin1', { fatal: true }),
};

/** Reads a pickle's operands, little-endian, never beyond its bytes. */
export class PickleReader {
  private readonly view: DataView;

  constructor(
    private readonly data: Uint8Array,
    public position: number,
  ) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  byte(): number {
    return this.data[this.take(1)]!;
  }

  uint16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  uint64(): number {
    return Number(this.view.getBigUint64(this.take(8), true));
  }

  /** Big-endian, unlike the others. */
  float64(): number {
    return this.view.getFloat64(this.take(8), false);
  }

  /** A two's complement number of `length` bytes. */
  long(length: number): number | bigint {
    if (length > longestNumber) throw new PickleError(`a whole number of ${length} bytes is refused`);
    const from = this.take(length);
    let value = 0n;
    for (let at = length - 1; at >= 0; at--) value = (value << 8n) | BigInt(this.data[from + at]!);
    const signed = length === 0 ? 0n : BigInt.asIntN(8 * length, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  text(length: number): string {
    return this.decode(this.take(length), length, 'utf-8');
  }

  latin1(length: number): string {
    return this.decode(this.take(length), length, 'latin1');
  }

  /** Up to the next newline, which is passed over. */
  line(): string {
    const end = this.data.indexOf(0x0a, this.position);
    if (end < 0) throw this.truncated(1);
    const from = this.position;
    this.position = end + 1;
    return this.decode(from, end - from, 'utf-8');
  }

  skip(length: number): void {
    this.take(length);
  }

  private take(length: number): number {
    if (length > this.data.length - this.position) throw this.truncated(length);
    const from = this.position;
    this.position += length;
    return from;
  }

  private decode(from: number, length: number, encoding: keyof typeof decoders): string {
    try {
      return decoders[encoding].decode(this.data.subarray(from, from + length));
    } catch {
      throw new PickleError(`the text before byte ${this.position} is not ${encoding}`);
    }
  }

  private truncated(length: number): PickleError {
    const left = this.data.length - this.position;
    return new PickleError(
      `it is truncated: ${length} bytes are asked for at byte ${this.position}, ${left} are left`,
    );
  }
}
