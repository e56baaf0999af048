/**
 * GIF frames on top of one another as Pillow puts them (GifImagePlugin.py): the first has palette indices or greys, later ones colours;
 * colours under transparent pixels are the palette's.
 */
import type { Budget } from '../budget.js';
import { broken, cutOff, readTwice } from '../fault.js';
import type { Frame } from '../frame.js';
import { GifBlocks, type GifFrame, type GifHeader } from './blocks.js';
import { Layer } from './layer.js';
import { drawGifFrame } from './lzw.js';

/** Every frame. Rejects with `PictureError` where Pillow gives up. */
export async function decodeGif(bytes: Buffer, budget: Budget): Promise<Frame[]> {
  foreseeFrames(bytes, budget);
  const blocks = new GifBlocks(bytes);
  const film = new GifFilm(bytes, blocks.header);
  const frames: Frame[] = [];
  for (let frame = blocks.next(); frame !== undefined; frame = blocks.next()) {
    const size = film.sizeWith(frame);
    await budget.spend(size.width, size.height);
    film.begin(frame);
    readTwice((lenient) => {
      film.draw(lenient);
    });
    frames.push(film.frame());
  }
  if (frames.length === 0) throw broken('the GIF has no frames');
  return frames;
}

/** A small file may hold many large frames: they are counted before any is drawn. */
function foreseeFrames(bytes: Buffer, budget: Budget): void {
  const blocks = new GifBlocks(bytes);
  let { width, height } = blocks.header;
  let pixels = 0;
  for (let frame = blocks.next(); frame !== undefined; frame = blocks.next()) {
    width = Math.max(width, frame.left + frame.width);
    height = Math.max(height, frame.top + frame.height);
    pixels += width * height;
    budget.foresee(pixels);
  }
}

/** What takes a frame's place when it goes. */
interface Remains {
  readonly layer: Layer;
  readonly left: number;
  readonly top: number;
}

class GifFilm {
  private size: { readonly width: number; readonly height: number };
  private index = -1;
  private layer: Layer | undefined;
  /** What the frames before left, while a frame of colours is drawn. */
  private below: Layer | undefined;
  /** What Pillow takes the picture for, which after damage isn't what it is. */
  private mode: 'P' | 'L' | 'RGB' | 'RGBA' = 'P';
  private disposal = 0;
  private remains: Remains | undefined;
  /** Of the first frame, until the picture becomes one of colours. */
  private clear: number | undefined;
  private palette: Buffer | undefined;
  private current: GifFrame | undefined;
  /** The index that isn't drawn, onto greys. */
  private skipped: number | undefined;
  /** Data that is still to be drawn. */
  private pending = false;

  constructor(
    private readonly bytes: Buffer,
    private readonly header: GifHeader,
  ) {
    this.size = header;
  }

  /** Frames that stick out make the picture larger. */
  sizeWith(frame: GifFrame): { readonly width: number; readonly height: number } {
    return {
      width: Math.max(this.size.width, frame.left + frame.width),
      height: Math.max(this.size.height, frame.top + frame.height),
    };
  }

  /** Makes room for a frame. */
  begin(frame: GifFrame): void {
    this.size = this.sizeWith(frame);
    this.index++;
    if (frame.disposal !== 0) this.disposal = frame.disposal;
    if (this.remains !== undefined)
      this.layer?.place(this.remains.layer, this.remains.left, this.remains.top);
    this.palette = frame.palette === 'grey' ? undefined : (frame.palette ?? this.header.palette);
    if (this.index === 0) this.mode = this.palette === undefined ? 'L' : 'P';
    else if (this.mode === 'P') this.becomeColours();
    this.remains = this.remainsOf(frame);
    if (this.index === 0) this.clear = frame.clear;
    this.skipped = this.index > 0 && (this.mode === 'P' || this.mode === 'L') ? frame.clear : undefined;
    this.current = frame;
    this.pending = true;
  }

  draw(lenient: boolean): void {
    const { current } = this;
    if (current === undefined || !this.pending) return;
    const layer = this.prepare(current);
    const { left, top, width, height, interlaced, start, codeBits } = current;
    if (width === 0 || height === 0 || left + width > layer.width || top + height > layer.height) {
      throw broken(`frame ${this.index} of the GIF is empty or lies outside it`);
    }
    const state = drawGifFrame(this.bytes, start, codeBits, {
      pixels: layer.values,
      stride: layer.width,
      left,
      top,
      width,
      height,
      interlaced,
      clear: this.skipped,
    });
    if (state === 'short' && !lenient) throw cutOff(`frame ${this.index} of the GIF is cut off`);
    this.pending = false;
    if (this.below !== undefined) this.compose(current, this.below, layer);
  }

  frame(): Frame {
    return this.own().toFrame(this.layer?.mode === 'P' ? this.clear : undefined);
  }

  private own(): Layer {
    if (this.layer === undefined) throw broken('the GIF has no frames');
    return this.layer;
  }

  private becomeColours(): void {
    // Pillow gives up here: greys can't have a transparent one.
    if (this.clear !== undefined && this.own().mode === 'L') {
      throw broken(
        "a grey GIF with a transparent shade goes on in colours, which can't be read; save it again with colours throughout",
      );
    }
    this.layer = this.own().toColours(this.clear);
    this.mode = this.clear === undefined ? 'RGB' : 'RGBA';
    this.clear = undefined;
  }

  private remainsOf(frame: GifFrame): Remains | undefined {
    const { left, top, width, height, clear } = frame;
    if (this.disposal < 2) return undefined;
    const coloured = this.mode === 'RGB' || this.mode === 'RGBA';
    const filled = (index: number, alpha: number): Remains => {
      const layer = new Layer(coloured ? 'RGBA' : 'P', width, height);
      layer.fill(coloured ? [...this.colour(index), alpha] : [index]);
      return { layer, left, top };
    };
    if (this.disposal === 2) {
      const index = this.clear ?? clear;
      return index === undefined ? filled(this.header.background, 255) : filled(index, 0);
    }
    if (this.layer !== undefined) return { layer: this.layer.cut(left, top, width, height), left, top };
    return clear === undefined ? undefined : filled(clear, 0);
  }

  private colour(index: number): [number, number, number] {
    const { palette } = this;
    if (palette === undefined) return [index, index, index];
    const at = index * 3 + 3 > palette.length ? 0 : index * 3;
    return [palette[at]!, palette[at + 1]!, palette[at + 2]!];
  }

  /** The layer that the frame's indices go to. After a first try that failed, the palette is forgotten, as Pillow forgets it. */
  private prepare(current: GifFrame): Layer {
    const { clear } = current;
    const { width, height } = this.size;
    const { palette } = this;
    const mode = palette === undefined ? 'L' : 'P';
    this.below = undefined;
    if (this.index === 0) {
      if (clear !== undefined || this.layer === undefined) {
        this.layer = new Layer(mode, width, height, palette);
        if (current.palette === 'grey' && this.header.palette !== undefined)
          this.layer.recolour(this.header.palette);
        if (clear !== undefined) this.layer.fill([clear]);
      }
    } else if (this.mode === 'RGB' || this.mode === 'RGBA') {
      this.below = this.layer;
      this.layer = new Layer(mode, width, height, palette);
      if (palette !== undefined) this.layer.fill([clear ?? 0]);
    } else if (this.own().width !== width || this.own().height !== height) {
      this.layer = this.own().enlarged(width, height);
    }
    this.mode = mode;
    this.palette = undefined;
    return this.own();
  }

  private compose(frame: GifFrame, below: Layer, drawn: Layer): void {
    const { left, top, width, height, clear } = frame;
    let base = below;
    if (base.width !== this.size.width || base.height !== this.size.height) {
      base = below.enlarged(this.size.width, this.size.height, clear === undefined ? drawn : undefined);
    }
    base.overlay(drawn.toColours(clear), left, top, width, height);
    this.layer = base;
    this.mode = base.mode;
    this.below = undefined;
  }
}
