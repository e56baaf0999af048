/** Writes protobuf's wire format: just the few field kinds that an ONNX model has. */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const utf8 = new TextEncoder();

/** One message under construction; `finish` gives its bytes. */
export class ProtoWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  /** An int64, int32 or enum field. Integers beyond 2^53 are out of range. */
  int(field: number, value: number): this {
    this.tag(field, VARINT);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.tag(field, FIXED32);
    this.reserve(4);
    new DataView(this.bytes.buffer).setFloat32(this.length, value, true);
    this.length += 4;
    return this;
  }

  string(field: number, value: string): this {
    return this.raw(field, utf8.encode(value));
  }

  raw(field: number, value: Uint8Array): this {
    this.tag(field, LENGTH_DELIMITED);
    this.varint(value.length);
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** A repeated integer field, packed. */
  ints(field: number, values: readonly number[]): this {
    const packed = new ProtoWriter();
    for (const value of values) packed.varint(value);
    return this.raw(field, packed.finish());
  }

  /** A submessage, written by `body`. */
  message(field: number, body: (writer: ProtoWriter) => unknown): this {
    const inner = new ProtoWriter();
    body(inner);
    return this.raw(field, inner.finish());
  }

  /** The bytes so far; valid until the next write. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  private varint(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`protobuf integer out of range: ${value}`);
    if (value < 0) {
      this.bigVarint(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    this.reserve(10);
    while (value >= 128) {
      this.bytes[this.length++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    this.bytes[this.length++] = value;
  }

  private bigVarint(value: bigint): void {
    this.reserve(10);
    while (value >= 128n) {
      this.bytes[this.length++] = Number(value & 127n) | 128;
      value >>= 7n;
    }
    this.bytes[this.length++] = Number(value);
  }

  private reserve(extra: number): void {
    if (this.length + extra <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + extra));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
