/** PNG chunks, read as Pillow reads them: what is checked, and what is forgiven on the second reading (PngImagePlugin.py). */
import { constants, crc32, inflateSync } from 'node:zlib';
import type { ByteSource } from '../byte-source.js';
import { broken, cutOff } from '../fault.js';
import { exifOrientation, xmpOrientation } from '../orientation.js';

export interface Chunk {
  readonly type: string;
  /** Where its body begins. */
  readonly at: number;
  readonly length: number;
}

export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** What the chunks said that lie before a frame's data. */
export interface PngFacts {
  width: number;
  height: number;
  /** Bits a sample and colour type; 0 bits for a combination that PNG doesn't know. */
  bits: number;
  colourType: number;
  interlaced: boolean;
  palette: Buffer | undefined;
  /** The body of `tRNS`. */
  transparency: Buffer | undefined;
  frames: number | undefined;
  /** The first picture is for readers that know no animation. */
  defaultImage: boolean;
  box: Box | undefined;
  disposal: number;
  blend: number;
  exif: Buffer | undefined;
  xmp: string | undefined;
}

/** Where a frame's data begins. */
export interface DataStart {
  readonly box: Box;
  readonly at: number;
}

const TEXT_LIMIT = 1 << 20;
const DEPTHS = [
  '0:1',
  '0:2',
  '0:4',
  '0:8',
  '0:16',
  '2:8',
  '2:16',
  '3:1',
  '3:2',
  '3:4',
  '3:8',
  '4:8',
  '4:16',
  '6:8',
  '6:16',
];

export class ChunkStream {
  readonly facts: PngFacts = {
    width: 0,
    height: 0,
    bits: 0,
    colourType: 0,
    interlaced: false,
    palette: undefined,
    transparency: undefined,
    frames: undefined,
    defaultImage: false,
    box: undefined,
    disposal: 0,
    blend: 0,
    exif: undefined,
    xmp: undefined,
  };
  data: DataStart | undefined;
  /** A chunk that was read and belongs to what comes later. */
  private waiting: Chunk | undefined;
  private sequence: number | undefined;

  constructor(
    readonly source: ByteSource,
    public lenient: boolean,
  ) {}

  /** The next chunk's head; undefined at the end of the file. Throws `PictureFault` for a type that isn't letters. */
  next(): Chunk | undefined {
    let chunk = this.waiting;
    this.waiting = undefined;
    if (chunk !== undefined) this.source.at = chunk.at;
    else {
      const head = this.source.read(8);
      if (head.length < 4) return undefined;
      chunk = { type: head.toString('latin1', 4), at: this.source.at, length: head.readUInt32BE(0) };
    }
    if (!/^\w{4}$/.test(chunk.type) && !this.lenient) throw broken('a PNG chunk is damaged');
    return chunk;
  }

  putBack(chunk: Chunk): void {
    this.waiting = chunk;
  }

  /** Reads a chunk's body and takes in what it says; true where a frame's data begins or the file ends. Others than these are read to their end. */
  take({ type, at, length }: Chunk): boolean {
    if (type === 'IEND') return true;
    if (type === 'IDAT') return this.startData(at);
    if (type === 'fdAT') return this.startFrameData(at, length);
    if (!isAscii(type)) throw cutOff('a PNG chunk is damaged');
    const body = this.source.readWhole(length);
    READERS[type]?.(this.facts, body, this);
    return false;
  }

  /** Compares the checksum behind a chunk's body; those of chunks that matter less are forgiven on the second reading. */
  checkSum({ type, at, length }: Chunk): void {
    const stored = this.source.read(4);
    if (this.lenient && (type.charCodeAt(0) & 32) !== 0) return;
    const sum = crc32(this.source.bytes.subarray(at - 4, at + length));
    if (stored.length < 4 || stored.readUInt32BE(0) !== sum)
      throw cutOff(`the PNG's chunk ${type} is damaged`);
  }

  /** Frames and their data are numbered through. */
  countFrom(number: number): void {
    if (this.sequence === undefined ? number !== 0 : number !== this.sequence + 1) {
      throw broken('frames of the animated PNG are missing or out of order');
    }
    this.sequence = number;
  }

  private startData(at: number): boolean {
    const { facts } = this;
    if (facts.box === undefined && facts.frames !== undefined) facts.defaultImage = true;
    this.data = { box: facts.box ?? [0, 0, facts.width, facts.height], at };
    return true;
  }

  private startFrameData(at: number, length: number): boolean {
    if (length < 4) {
      if (!this.lenient) throw cutOff('a frame of the animated PNG is cut off');
      this.source.readWhole(length);
      return false;
    }
    const number = this.source.readWhole(4).readUInt32BE(0);
    if (this.sequence === undefined || number !== this.sequence + 1) {
      throw broken('frames of the animated PNG are missing or out of order');
    }
    this.sequence = number;
    return this.startData(at + 4);
  }
}

export function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

type Reader = (facts: PngFacts, body: Buffer, stream: ChunkStream) => void;

/** Throws unless the second reading forgives. */
function tooShort(type: string, stream: ChunkStream): void {
  if (!stream.lenient) throw cutOff(`the PNG's chunk ${type} is cut off`);
}

function needs(body: Buffer, length: number, type: string): void {
  if (body.length < length) throw broken(`the PNG's chunk ${type} is cut off`);
}

const READERS: Readonly<Record<string, Reader>> = {
  IHDR(facts, body, stream) {
    if (body.length < 13) {
      tooShort('IHDR', stream);
      return;
    }
    [facts.width, facts.height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
    const [bits, colourType] = [body[8]!, body[9]!];
    if (DEPTHS.includes(`${colourType}:${bits}`)) [facts.bits, facts.colourType] = [bits, colourType];
    if (body[12] !== 0) facts.interlaced = true;
    if (body[11] !== 0) throw broken('the PNG uses an unknown filter');
  },
  PLTE(facts, body) {
    if (facts.bits !== 0 && facts.colourType === 3) facts.palette = body;
  },
  tRNS(facts, body) {
    if (facts.bits === 0) return;
    if (facts.colourType === 0) needs(body, 2, 'tRNS');
    if (facts.colourType === 2) needs(body, 6, 'tRNS');
    if (facts.colourType === 0 || facts.colourType === 2 || facts.colourType === 3) facts.transparency = body;
  },
  gAMA(_, body) {
    needs(body, 4, 'gAMA');
  },
  cHRM(_, body) {
    if (body.length % 4 !== 0) throw broken("the PNG's chunk cHRM is damaged");
  },
  sRGB(_, body, stream) {
    if (body.length < 1) tooShort('sRGB', stream);
  },
  pHYs(_, body, stream) {
    if (body.length < 9) tooShort('pHYs', stream);
  },
  iCCP(_, body, stream) {
    const method = body.indexOf(0) + 1;
    needs(body, method + 1, 'iCCP');
    if (body[method] !== 0) throw broken("the PNG's colour profile is damaged");
    if (textOf(body.subarray(method + 1)) === 'too long' && !stream.lenient)
      throw cutOff("the PNG's colour profile is too long");
  },
  eXIf(facts, body) {
    facts.exif = body;
  },
  tEXt(facts, body) {
    const [keyword, text] = splitAtZero(body);
    if (keyword.equals(Buffer.from('exif'))) facts.exif = text;
    else readText(facts, keyword.toString('latin1'), text);
  },
  zTXt(facts, body, stream) {
    const [keyword, rest] = splitAtZero(body);
    if (rest.length > 0 && rest[0] !== 0) throw broken('a compressed text in the PNG is damaged');
    const text = textOf(rest.subarray(1));
    if (text === 'too long' && !stream.lenient) throw cutOff('a text in the PNG is too long');
    readText(facts, keyword.toString('latin1'), typeof text === 'string' ? Buffer.alloc(0) : text);
  },
  iTXt(facts, body, stream) {
    const [keyword, rest] = splitAtZero(body);
    if (rest.length < 2 || (rest[0] !== 0 && rest[1] !== 0)) return;
    const [, afterLanguage] = splitAtZero(rest.subarray(2));
    const [, written] = splitAtZero(afterLanguage);
    const text = rest[0] === 0 ? written : textOf(written);
    if (text === 'too long' && !stream.lenient) throw cutOff('a text in the PNG is too long');
    if (typeof text !== 'string' && keyword.toString('latin1') === 'XML:com.adobe.xmp')
      facts.xmp = text.toString('utf8');
  },
  acTL(facts, body, stream) {
    if (body.length < 8) {
      tooShort('acTL', stream);
      return;
    }
    const frames = body.readUInt32BE(0);
    if (facts.frames !== undefined) facts.frames = undefined;
    else if (frames !== 0 && frames <= 0x80000000) facts.frames = frames;
  },
  fcTL(facts, body, stream) {
    if (body.length < 26) {
      tooShort('fcTL', stream);
      return;
    }
    const number = (at: number) => body.readUInt32BE(at);
    stream.countFrom(number(0));
    const [width, height, left, top] = [number(4), number(8), number(12), number(16)];
    if (left + width > facts.width || top + height > facts.height)
      throw broken('a frame of the animated PNG sticks out of it');
    facts.box = [left, top, left + width, top + height];
    [facts.disposal, facts.blend] = [body[24]!, body[25]!];
  },
};

function splitAtZero(bytes: Buffer): [Buffer, Buffer] {
  const at = bytes.indexOf(0);
  return at < 0 ? [bytes, Buffer.alloc(0)] : [bytes.subarray(0, at), bytes.subarray(at + 1)];
}

function textOf(packed: Buffer): Buffer | 'too long' | 'damaged' {
  try {
    return inflateSync(packed, { maxOutputLength: TEXT_LIMIT, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    return error instanceof RangeError ? 'too long' : 'damaged';
  }
}

function readText(facts: PngFacts, keyword: string, text: Buffer): void {
  // ImageMagick's way to keep EXIF: three lines, then hexadecimal ones.
  if (keyword === 'Raw profile type exif' && facts.exif === undefined) {
    facts.exif = Buffer.from(text.toString('latin1').split('\n').slice(3).join(''), 'hex');
  }
  if (keyword === 'XML:com.adobe.xmp') facts.xmp = text.toString('latin1');
}

export function orientationOf({ exif, xmp }: PngFacts): number | undefined {
  return (
    (exif === undefined ? undefined : exifOrientation(exif)) ??
    (xmp === undefined ? undefined : xmpOrientation(xmp))
  );
}
