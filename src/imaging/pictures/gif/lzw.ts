/** GIF's LZW, with Pillow's limits (libImaging/GifDecode.c). */

const TABLE_SIZE = 4096;

/** A frame's pixels, and where they go. */
export interface GifTarget {
  /** Palette indices of the whole picture. */
  readonly pixels: Uint8Array;
  readonly stride: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly interlaced: boolean;
  /** Pixels of this index are left out. */
  readonly clear: number | undefined;
}

/** `short`: the file ends before the frame does. What there is was drawn. */
export type GifDataState = 'whole' | 'short' | 'damaged';

/** Draws a frame from its blocks, which begin at `start`. */
export function drawGifFrame(
  bytes: Buffer,
  start: number,
  codeBits: number,
  target: GifTarget,
): GifDataState {
  if (codeBits > 12) return 'damaged';
  const clearCode = 1 << codeBits;
  const pen = new Pen(target);
  const prefixes = new Uint16Array(TABLE_SIZE);
  const suffixes = new Uint8Array(TABLE_SIZE);
  const stack = new Uint8Array(TABLE_SIZE);
  let [at, blockEnd] = [start, start];
  let [bitBuffer, bitCount] = [0, 0];
  let [codeSize, next] = [codeBits + 1, clearCode + 2];
  let fresh = true;
  let [lastCode, lastByte] = [0, 0];
  for (;;) {
    while (bitCount < codeSize) {
      if (at < blockEnd) {
        bitBuffer |= bytes[at++]! << bitCount;
        bitCount += 8;
        continue;
      }
      const length = bytes[at];
      if (length === undefined || at + length + 1 > bytes.length) return 'short';
      at++;
      blockEnd = at + length;
    }
    const code = bitBuffer & ((1 << codeSize) - 1);
    bitBuffer >>>= codeSize;
    bitCount -= codeSize;
    if (code === clearCode) {
      [codeSize, next, fresh] = [codeBits + 1, clearCode + 2, true];
      continue;
    }
    if (code === clearCode + 1) return 'short';
    if (fresh) {
      if (code > clearCode) return 'damaged';
      fresh = false;
      lastCode = code;
      lastByte = code & 255;
      const state = pen.put(lastByte);
      if (state !== 'going') return state;
      continue;
    }
    if (code > next) return 'damaged';
    let depth = 0;
    let walk = code;
    if (code === next) {
      stack[depth++] = lastByte;
      walk = lastCode;
    }
    while (walk >= clearCode) {
      if (depth >= TABLE_SIZE || walk >= TABLE_SIZE) return 'damaged';
      stack[depth++] = suffixes[walk]!;
      walk = prefixes[walk]!;
    }
    lastByte = walk & 255;
    if (next < TABLE_SIZE) {
      suffixes[next] = walk;
      prefixes[next] = lastCode;
      if (next === (1 << codeSize) - 1 && codeSize < 12) codeSize++;
      next++;
    }
    lastCode = code;
    let state = pen.put(lastByte);
    while (state === 'going' && depth > 0) state = pen.put(stack[--depth]!);
    if (state !== 'going') return state;
  }
}

/** Where interlaced rows begin, and how far they are apart. */
const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

/** Puts pixels one after another in the order of their rows. */
class Pen {
  private x = 0;
  private y = 0;
  private pass: number;
  private row: number;

  constructor(private readonly target: GifTarget) {
    this.pass = target.interlaced ? 0 : PASSES.length;
    this.row = target.top * target.stride + target.left;
  }

  put(index: number): 'going' | 'whole' | 'damaged' {
    const { pixels, width, clear } = this.target;
    if (index !== clear) pixels[this.row + this.x] = index;
    if (++this.x < width) return 'going';
    return this.nextRow() ? 'going' : 'whole';
  }

  private nextRow(): boolean {
    const { height, interlaced, top, left, stride } = this.target;
    this.x = 0;
    this.y += interlaced ? PASSES[Math.min(this.pass, 3)]![1] : 1;
    while (this.y >= height) {
      this.pass++;
      const pass = PASSES[this.pass];
      if (pass === undefined) return false;
      this.y = pass[0];
    }
    this.row = (top + this.y) * stride + left;
    return true;
  }
}
