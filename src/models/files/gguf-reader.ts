/** The numbers, texts and lists of a GGUF header (ggml docs/gguf.md). */
import type { MappedFile } from '../../native/addon.js';
import { shorten } from '../../safe-text.js';
import { ModelError } from '../model-error.js';

/** A chat template or a licence may be long; a name isn't. */
const mostTextBytes = 64 * 2 ** 20;

/** A field's list, read when it is asked for: vocabularies are long. */
export interface GgufArray {
  readonly length: number;
  /** Its texts; throws `ModelError` where they are something else, or lie beyond the file. */
  texts(): string[];
  /** Its numbers, likewise. */
  numbers(): number[];
}

export type GgufField = string | number | boolean | GgufArray;

/** Reads a mapped file from its start on, a window at a time. */
export class GgufReader {
  private static readonly windowBytes = 1 << 20;
  at = 0;
  private windowStart = 0;
  private window: Uint8Array = new Uint8Array(0);

  constructor(
    private readonly path: string,
    private readonly file: MappedFile,
  ) {}

  skip(bytes: number): void {
    this.require(bytes);
    this.at += bytes;
  }

  u32(): number {
    return this.take(4).getUint32(0, true);
  }

  /** Throws where a double can't tell it from its neighbours. */
  u64(): number {
    const value = Number(this.take(8).getBigUint64(0, true));
    if (Number.isSafeInteger(value)) return value;
    throw new ModelError(`${this.path}: a number of its header is beyond any file (${value})`);
  }

  count(most: number, of: string): number {
    const count = this.u64();
    if (count <= most) return count;
    throw new ModelError(`${this.path}: the header counts ${count} ${of}; at most ${most} are read`);
  }

  text(): string {
    const length = this.u64();
    if (length > mostTextBytes) {
      throw new ModelError(`${this.path}: a text of its header would have ${length} bytes`);
    }
    const bytes = this.take(length);
    return new TextDecoder().decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  value(type: number, name: string): GgufField {
    if (type === 8) return this.text();
    if (type === 9) return this.array(name);
    return this.scalar(type, name);
  }

  private scalar(type: number, name: string): number | boolean {
    switch (type) {
      case 0:
        return this.take(1).getUint8(0);
      case 1:
        return this.take(1).getInt8(0);
      case 2:
        return this.take(2).getUint16(0, true);
      case 3:
        return this.take(2).getInt16(0, true);
      case 4:
        return this.u32();
      case 5:
        return this.take(4).getInt32(0, true);
      case 6:
        return this.take(4).getFloat32(0, true);
      case 7:
        return this.take(1).getUint8(0) !== 0;
      case 10:
        return Number(this.take(8).getBigUint64(0, true));
      case 11:
        return Number(this.take(8).getBigInt64(0, true));
      case 12:
        return this.take(8).getFloat64(0, true);
      default:
        throw new ModelError(`${this.path}: the field ${shorten(name, 100)} is of the unknown type ${type}`);
    }
  }

  private array(name: string): GgufArray {
    const type = this.u32();
    const length = this.u64();
    const start = this.at;
    if (type === 9) throw new ModelError(`${this.path}: the field ${shorten(name, 100)} is a list of lists`);
    const bytes = scalarBytes[type];
    if (bytes !== undefined) this.skip(bytes * length);
    // Each text says how long it is.
    else for (let index = 0; index < length; index++) this.skip(this.u64());
    const read = <Value>(isOf: boolean, one: (reader: GgufReader) => Value): Value[] => {
      if (!isOf) throw new ModelError(`${this.path}: the field ${shorten(name, 100)} has another type`);
      const reader = new GgufReader(this.path, this.file);
      reader.at = start;
      return Array.from({ length }, () => one(reader));
    };
    return {
      length,
      texts: () => read(type === 8, (reader) => reader.text()),
      numbers: () => read(bytes !== undefined, (reader) => Number(reader.scalar(type, name))),
    };
  }

  private require(bytes: number): void {
    if (bytes <= this.file.size - this.at) return;
    throw new ModelError(`${this.path} is truncated in its header: the file has ${this.file.size} bytes`);
  }

  private take(bytes: number): DataView {
    this.require(bytes);
    if (this.at < this.windowStart || this.at + bytes > this.windowStart + this.window.length) {
      const length = Math.min(Math.max(bytes, GgufReader.windowBytes), this.file.size - this.at);
      this.window = this.file.read(this.at, length);
      this.windowStart = this.at;
    }
    const view = new DataView(this.window.buffer, this.window.byteOffset + this.at - this.windowStart, bytes);
    this.at += bytes;
    return view;
  }
}

/** Bytes of a field's number by its type; texts and lists are missing. */
const scalarBytes: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
