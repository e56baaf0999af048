/** PNG and animated PNG, with Pillow's reading of damaged ones (PngImagePlugin.py). */
import type { Budget } from '../budget.js';
import { ByteSource } from '../byte-source.js';
import { broken, cutOff, PictureFault, openTwice, readTwice } from '../fault.js';
import { PictureError, type Frame } from '../frame.js';
import { turned } from '../orientation.js';
import {
  ChunkStream,
  isAscii,
  orientationOf,
  type Box,
  type Chunk,
  type DataStart,
  type PngFacts,
} from './chunk-stream.js';
import { blank, blendBox, copyOf, replaceBox } from './composition.js';
import { CHANNELS, frameOf } from './pixels.js';
import { drawScanlines, type Canvas } from './scanlines.js';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const [BACKGROUND, PREVIOUS] = [1, 2];
const OVER = 1;

export function isPng(bytes: Buffer): boolean {
  return bytes.subarray(0, 8).equals(SIGNATURE);
}

/** Every frame, upright. Rejects with `PictureError` where Pillow gives up. */
export async function decodePng(bytes: Buffer, budget: Budget): Promise<Frame[]> {
  const png = openTwice((lenient) => new PngFile(bytes, lenient));
  const frames: Frame[] = [];
  for (let index = 0; index < png.frames && (index === 0 || png.advance(index)); index++) {
    await budget.spend(png.head.width, png.head.height);
    readTwice((lenient) => {
      png.load(lenient);
    });
    frames.push(turned(frameOf(png.picture(), png.shown()), orientationOf(png.shown())));
  }
  return frames;
}

interface DataEnd {
  readonly fault: PictureFault;
  /** It lies in what a chunk says rather than in the file's chain of chunks. */
  readonly inBody: boolean;
}

type Head = Pick<PngFacts, 'width' | 'height' | 'bits' | 'colourType' | 'palette'>;

class PngFile {
  /** What kind of picture it is; chunks behind the first frame's data don't change that. */
  readonly head: Head;
  readonly frames: number;
  private readonly facts: PngFacts;
  private readonly stream: ChunkStream;
  private readonly source: ByteSource;
  private canvas: Canvas | undefined;
  /** What the frame before left, for the one that is read. */
  private before: Canvas | undefined;
  /** What takes a frame's place when it goes. */
  private remains: { readonly box: Box; readonly canvas: Canvas } | undefined;
  private box: Box | undefined;
  private data: DataStart | undefined;
  /** Bytes of the chunk in which the data begins. */
  private dataLength: number;
  private blend: number;
  /** Reading of the frame's data has begun once. */
  private begun = false;

  /** Reads up to the first frame's data. */
  constructor(bytes: Buffer, lenient: boolean) {
    this.source = new ByteSource(bytes);
    this.source.at = SIGNATURE.length;
    this.stream = new ChunkStream(this.source, lenient);
    this.facts = this.stream.facts;
    this.dataLength = this.readHead();
    this.stream.lenient = false;
    const { facts } = this;
    const { width, height, bits, colourType, palette } = facts;
    this.head = { width, height, bits, colourType, palette };
    if (facts.bits === 0 || facts.width === 0 || facts.height === 0)
      throw cutOff('the PNG has no header that makes sense');
    this.frames = (facts.frames ?? 1) + (facts.defaultImage ? 1 : 0);
    this.data = this.stream.data;
    this.blend = facts.blend;
    this.prepareDisposal();
  }

  /** The picture's kind, and what the chunks read so far say of it. */
  shown(): PngFacts {
    return { ...this.facts, ...this.head };
  }

  /** Goes on to another frame's data. False at the end of the file. */
  advance(index: number): boolean {
    const { stream, source, facts } = this;
    const { canvas } = this;
    if (canvas === undefined) throw new PictureError('a frame of the animated PNG was not read');
    if (this.remains !== undefined) replaceBox(canvas, this.remains.canvas, this.remains.box);
    this.before = copyOf(canvas);
    if (this.dataLength > 0) source.readWhole(this.dataLength);
    this.dataLength = 0;
    if (!this.findFrame(index)) return false;
    this.data = stream.data;
    this.begun = false;
    this.blend = facts.blend;
    this.prepareDisposal();
    return true;
  }

  /** Draws the frame, on the second reading as far as its data goes. */
  load(lenient: boolean): void {
    this.stream.lenient = lenient;
    try {
      this.draw(lenient);
    } finally {
      this.stream.lenient = false;
    }
  }

  picture(): Canvas {
    if (this.canvas === undefined) throw new PictureError('the PNG was not read');
    return this.canvas;
  }

  private readHead(): number {
    for (;;) {
      const chunk = this.stream.next();
      if (chunk === undefined) throw cutOff('the PNG is cut off before its picture');
      const ends = this.stream.take(chunk);
      if (ends) return chunk.type === 'fdAT' ? chunk.length - 4 : chunk.length;
      this.stream.checkSum(chunk);
    }
  }

  private findFrame(index: number): boolean {
    let started = false;
    for (;;) {
      this.source.read(4);
      const chunk = endedByFault(() => this.stream.next());
      if (chunk === undefined) break;
      if (chunk.type === 'IEND') return false;
      if (chunk.type === 'fcTL') {
        if (started) throw broken(`frame ${index} of the animated PNG has no data`);
        started = true;
      }
      if (!this.stream.take(chunk)) continue;
      if (chunk.type === 'fdAT' && started) {
        this.dataLength = chunk.length - 4;
        break;
      }
      this.source.readWhole(chunk.type === 'fdAT' ? chunk.length - 4 : chunk.length);
    }
    return this.stream.data !== undefined;
  }

  private prepareDisposal(): void {
    const { disposal, box } = this.facts;
    if (box !== undefined) this.box = box;
    this.remains = undefined;
    if (this.box === undefined) return;
    if (disposal === PREVIOUS && this.before !== undefined)
      this.remains = { box: this.box, canvas: copyOf(this.before) };
    else if (disposal === BACKGROUND || disposal === PREVIOUS)
      this.remains = { box: this.box, canvas: blank(this.ownCanvas()) };
  }

  private ownCanvas(): Canvas {
    const { width, height, bits, colourType } = this.head;
    const channels = CHANNELS[colourType]!;
    const length = width * height * channels;
    this.canvas ??= {
      width,
      height,
      channels,
      samples: bits === 16 ? new Uint16Array(length) : new Uint8Array(length),
    };
    return this.canvas;
  }

  private draw(lenient: boolean): void {
    if (this.data === undefined) {
      // What a first reading drew before the fault is what there is.
      if (this.canvas === undefined) throw cutOff('the PNG has no picture');
      return;
    }
    const facts = this.shown();
    if (facts.palette !== undefined && facts.palette.length >= 771)
      throw cutOff("the PNG's palette has more than 256 colours");
    const canvas = this.ownCanvas();
    if (this.begun && facts.interlaced) throw broken('the interlaced PNG is cut off');
    this.begun = true;
    const { box, at } = this.data;
    if (box[2] <= box[0] || box[3] <= box[1] || box[2] > canvas.width || box[3] > canvas.height) {
      throw cutOff('a frame of the animated PNG lies outside it');
    }
    this.source.at = at;
    const { pieces, end } = this.collect();
    const state = drawScanlines(canvas, box, facts, pieces);
    if (state === 'short') {
      if (end !== undefined && !end.fault.again) throw end.fault;
      if (!lenient) throw cutOff('the PNG is cut off');
    }
    this.data = undefined;
    if (end === undefined) this.readTail(lenient);
    else if (end.inBody && !lenient) throw end.fault;
    if (this.frames > 1 && this.before !== undefined && this.blend === OVER && this.box !== undefined) {
      blendBox(this.before, canvas, this.box, facts);
      this.canvas = this.before;
    }
    if (state === 'damaged' && !lenient) throw cutOff('the PNG is damaged');
  }

  /** The frame's data, chunk by chunk, and the fault that ended it, if it wasn't another chunk. */
  private collect(): { pieces: Buffer[]; end: DataEnd | undefined } {
    const pieces: Buffer[] = [];
    let length: number | undefined = this.dataLength;
    let inBody = false;
    try {
      while (length !== undefined) {
        const piece = this.source.read(length);
        pieces.push(piece);
        if (piece.length < length) throw cutOff('the PNG is cut off');
        this.source.read(4);
        inBody = false;
        const chunk = this.stream.next();
        if (chunk === undefined) throw cutOff('the PNG is cut off');
        inBody = true;
        length = this.dataOf(chunk);
      }
      return { pieces, end: undefined };
    } catch (error) {
      if (error instanceof PictureFault) return { pieces, end: { fault: error, inBody } };
      throw error;
    }
  }

  /** The length of a chunk of the same data; undefined, with the chunk put back, where another follows. */
  private dataOf(chunk: Chunk): number | undefined {
    if (chunk.type === 'IDAT' || chunk.type === 'DDAT') return chunk.length;
    if (chunk.type === 'fdAT') {
      this.stream.take(chunk);
      return Math.max(0, chunk.length - 4);
    }
    this.stream.putBack(chunk);
    return undefined;
  }

  /** What follows a frame's data: texts, and the next frame's beginning. */
  private readTail(lenient: boolean): void {
    for (;;) {
      const chunk = endedByFault(() => this.stream.next());
      if (chunk === undefined || chunk.type === 'IEND') return;
      if (chunk.type === 'fcTL' && this.frames > 1) {
        this.dataLength = 0;
        this.stream.putBack(chunk);
        return;
      }
      if (!isAscii(chunk.type)) return;
      if (this.stream.take(chunk) && !this.skipData(chunk, lenient)) return;
      this.source.read(4);
    }
  }

  private skipData(chunk: Chunk, lenient: boolean): boolean {
    try {
      this.source.readWhole(chunk.type === 'fdAT' ? chunk.length - 4 : chunk.length);
      return true;
    } catch (error) {
      if (lenient && error instanceof PictureFault) return false;
      throw error;
    }
  }
}

function endedByFault(read: () => Chunk | undefined): Chunk | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PictureFault && !error.again) return undefined;
    throw error;
  }
}
