/** The blocks of a GIF file up to each frame's data (GIF89a; read as GifImagePlugin.py does). */
import { ByteSource } from '../byte-source.js';
import { broken } from '../fault.js';

export interface GifHeader {
  readonly width: number;
  readonly height: number;
  /** Undefined without a palette, and for one that just counts up: such a picture is grey to Pillow. */
  readonly palette: Buffer | undefined;
  readonly background: number;
}

export interface GifFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly interlaced: boolean;
  /** Its own colours; `grey` for ones that just count up, undefined where it uses those of the file. */
  readonly palette: Buffer | 'grey' | undefined;
  /** The index of the transparent colour. */
  readonly clear: number | undefined;
  /** 0 where it says nothing. */
  readonly disposal: number;
  readonly codeBits: number;
  /** Where its data begins. */
  readonly start: number;
}

export function isGif(bytes: Buffer): boolean {
  return ['GIF87a', 'GIF89a'].includes(bytes.toString('latin1', 0, 6));
}

export class GifBlocks {
  readonly header: GifHeader;
  private readonly source: ByteSource;
  private dataStart: number | undefined;

  constructor(readonly bytes: Buffer) {
    this.source = new ByteSource(bytes);
    const screen = this.need(13);
    const flags = screen[10]!;
    const hasPalette = (flags & 128) !== 0;
    const palette = hasPalette ? this.source.read(3 << ((flags & 7) + 1)) : undefined;
    this.header = {
      width: screen.readUInt16LE(6),
      height: screen.readUInt16LE(8),
      palette: palette === undefined || countsUp(palette) ? undefined : palette,
      background: hasPalette ? screen[11]! : 0,
    };
  }

  /** Undefined behind the last frame. */
  next(): GifFrame | undefined {
    const { source } = this;
    if (this.dataStart !== undefined) {
      source.at = this.dataStart;
      this.skipBlocks();
    }
    let clear: number | undefined;
    let disposal = 0;
    for (;;) {
      const mark = source.read(1).toString('latin1');
      if (mark === '' || mark === ';') return undefined;
      if (mark === ',') return this.image(clear, disposal);
      if (mark !== '!') continue;
      const label = this.need(1)[0]!;
      const block = this.block();
      if (label === 0xfe) {
        if (block !== undefined) this.skipBlocks();
        continue;
      }
      if (label === 0xf9 && block !== undefined) {
        if (block.length < 3) throw broken('a GIF control block is cut off');
        if ((block[0]! & 1) !== 0) {
          if (block.length < 4) throw broken('a GIF control block is cut off');
          clear = block[3]!;
        }
        disposal = (block[0]! >> 2) & 7 || disposal;
      } else if (
        label === 0xff &&
        block !== undefined &&
        this.dataStart === undefined &&
        block.toString('latin1', 0, 11) === 'NETSCAPE2.0'
      ) {
        this.block();
      }
      this.skipBlocks();
    }
  }

  private image(clear: number | undefined, disposal: number): GifFrame {
    const head = this.need(9);
    const [left, top, width, height] = [0, 2, 4, 6].map((at) => head.readUInt16LE(at)) as [
      number,
      number,
      number,
      number,
    ];
    const flags = head[8]!;
    let palette: GifFrame['palette'];
    if ((flags & 128) !== 0) {
      const own = this.need(3 << ((flags & 7) + 1));
      palette = countsUp(own) ? 'grey' : own;
    }
    const codeBits = this.need(1)[0]!;
    this.dataStart = this.source.at;
    const interlaced = (flags & 64) !== 0;
    return {
      left,
      top,
      width,
      height,
      interlaced,
      palette,
      clear,
      disposal,
      codeBits,
      start: this.dataStart,
    };
  }

  private need(length: number): Buffer {
    const bytes = this.source.read(length);
    if (bytes.length < length) throw broken('the GIF is cut off');
    return bytes;
  }

  private block(): Buffer | undefined {
    const [length] = this.source.read(1);
    return length === undefined || length === 0 ? undefined : this.source.read(length);
  }

  private skipBlocks(): void {
    for (let block = this.block(); block !== undefined && block.length > 0;) block = this.block();
  }
}

function countsUp(palette: Buffer): boolean {
  return palette.every((value, at) => value === Math.floor(at / 3));
}
