/** Bytes of a file with a place in it. Reading past the end gives fewer bytes than asked for, as a file does. */
import { cutOff } from './fault.js';

export class ByteSource {
  at = 0;

  constructor(readonly bytes: Buffer) {}

  read(length: number): Buffer {
    const start = Math.min(this.at, this.bytes.length);
    const piece = this.bytes.subarray(start, start + length);
    this.at += piece.length;
    return piece;
  }

  /** All of it, or a fault that can be read over. */
  readWhole(length: number): Buffer {
    const piece = this.read(length);
    if (piece.length < length) throw cutOff('the file is cut off');
    return piece;
  }
}
