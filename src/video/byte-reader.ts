import type { Readable } from 'node:stream';

/** Pieces of a fixed size out of a stream of bytes, one after the other; it is read no further than asked for. */
export class ByteReader {
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(source: Readable) {
    this.chunks = (source as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, in memory of their own; undefined when the stream ends before them. */
  async read(length: number): Promise<Uint8Array | undefined> {
    const piece = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      if (this.rest.length === 0) {
        const next = await this.chunks.next();
        if (next.done === true) return undefined;
        this.rest = next.value;
      }
      const taken = this.rest.subarray(0, length - filled);
      piece.set(taken, filled);
      filled += taken.length;
      this.rest = this.rest.subarray(taken.length);
    }
    return piece;
  }
}
