/** A picture of palette indices, greys or colours, and how they are laid over one another. */
import { broken } from '../fault.js';
import type { Frame } from '../frame.js';

type Mode = 'P' | 'L' | 'RGB' | 'RGBA';

export class Layer {
  /** One a pixel in P and L, else four: red, green, blue, alpha. */
  readonly values: Uint8Array;
  private readonly step: 1 | 4;
  private readonly palette = new Uint8Array(768);

  constructor(
    public mode: Mode,
    readonly width: number,
    readonly height: number,
    palette?: Uint8Array,
  ) {
    this.step = mode === 'P' || mode === 'L' ? 1 : 4;
    this.values = new Uint8Array(width * height * this.step);
    if (mode === 'P' && palette !== undefined) this.palette.set(palette.subarray(0, 768));
  }

  /** Greys become indices of a palette. */
  recolour(palette: Uint8Array): void {
    this.mode = 'P';
    this.palette.set(palette.subarray(0, 768));
  }

  fill(value: readonly number[]): void {
    if (this.step === 1) this.values.fill(value[0]!);
    else for (let at = 0; at < this.values.length; at += 4) this.values.set(value, at);
  }

  /** Another in place of a box of this one; what sticks out is left out. Throws `PictureFault` for one of another kind. */
  place(other: Layer, left: number, top: number): void {
    if (other.step !== this.step)
      throw broken('a frame of the GIF is disposed of in a way that makes no sense after damage');
    const columns = Math.min(other.width, this.width - left);
    for (let y = 0; y < other.height && top + y < this.height; y++) {
      const from = y * other.width * this.step;
      if (columns > 0)
        this.values.set(
          other.values.subarray(from, from + columns * this.step),
          ((top + y) * this.width + left) * this.step,
        );
    }
  }

  /** A box as a layer of its own; 0 where it sticks out. */
  cut(left: number, top: number, width: number, height: number): Layer {
    const piece = new Layer(this.mode, width, height);
    piece.palette.set(this.palette);
    const columns = Math.min(width, this.width - left);
    for (let y = 0; y < height && top + y < this.height; y++) {
      const from = ((top + y) * this.width + left) * this.step;
      if (columns > 0)
        piece.values.set(this.values.subarray(from, from + columns * this.step), y * width * this.step);
    }
    return piece;
  }

  /** With room at the right and below: 0, or the colour of a palette's first entry. */
  enlarged(width: number, height: number, background?: Layer): Layer {
    const result = new Layer(this.mode, width, height);
    result.palette.set(this.palette);
    if (background !== undefined) result.fill([...background.palette.subarray(0, 3), 255]);
    result.place(this, 0, 0);
    return result;
  }

  /** Colours of indices and greys; those of index `clear` are transparent. */
  toColours(clear: number | undefined): Layer {
    const result = new Layer(clear === undefined ? 'RGB' : 'RGBA', this.width, this.height);
    this.writeColours(result.values, clear);
    return result;
  }

  /** The pixels of a box of another one, where they are not transparent. */
  overlay(other: Layer, left: number, top: number, width: number, height: number): void {
    for (let y = top; y < top + height; y++) {
      for (let at = (y * this.width + left) * 4; at < (y * this.width + left + width) * 4; at += 4) {
        if (other.values[at + 3] === 0) continue;
        this.values[at] = other.values[at]!;
        this.values[at + 1] = other.values[at + 1]!;
        this.values[at + 2] = other.values[at + 2]!;
        this.values[at + 3] = 255;
      }
    }
  }

  toFrame(clear: number | undefined): Frame {
    const { width, height, mode } = this;
    const rgba = this.step === 4 ? this.values.slice() : new Uint8Array(width * height * 4);
    if (this.step === 1) this.writeColours(rgba, clear);
    if (mode === 'RGB') for (let at = 3; at < rgba.length; at += 4) rgba[at] = 255;
    return { width, height, rgba, alpha: mode === 'RGBA' || clear !== undefined ? 'channel' : 'none' };
  }

  private writeColours(into: Uint8Array, clear: number | undefined): void {
    const { values, palette, mode } = this;
    for (let pixel = 0, at = 0; pixel < values.length; pixel++, at += 4) {
      const index = values[pixel]!;
      const entry = index * 3;
      into[at] = mode === 'L' ? index : palette[entry]!;
      into[at + 1] = mode === 'L' ? index : palette[entry + 1]!;
      into[at + 2] = mode === 'L' ? index : palette[entry + 2]!;
      into[at + 3] = index === clear ? 0 : 255;
    }
  }
}
