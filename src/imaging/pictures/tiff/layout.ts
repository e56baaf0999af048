/** How a TIFF page's pixels lie in the file, where Pillow knows the way (TiffImagePlugin.py, OPEN_INFO and _setup). */
import { cutOff, broken } from '../fault.js';
import type { TagValue } from './directory.js';

export const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
  samples: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planar: 284,
  predictor: 317,
  colourMap: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  extraSamples: 338,
  sampleFormat: 339,
  xmp: 700,
  mediaPhoto: 0xbc01,
} as const;

const COMPRESSIONS = [1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 34925, 50000, 50001];
export const [RAW, LZW, OLD_JPEG, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE] = [
  1, 5, 6, 7, 8, 32773, 32946,
] as const;
const MAX_SAMPLES = 6;

export type Colours = 'grey' | 'palette' | 'rgb' | 'cmyk' | 'lab';

export interface PageLayout {
  readonly width: number;
  readonly height: number;
  readonly compression: number;
  readonly planar: boolean;
  readonly fillOrder: number;
  readonly photometric: number;
  readonly colours: Colours;
  /** Of a sample. */
  readonly bits: number;
  readonly format: 'unsigned' | 'signed' | 'float';
  /** Samples a pixel, those that nobody knows included. */
  readonly samples: number;
  readonly alpha: 'none' | 'straight' | 'premultiplied';
}

export class Tags {
  constructor(private readonly tags: ReadonlyMap<number, TagValue>) {}

  has(tag: number): boolean {
    return this.tags.has(tag);
  }

  /** One number, `fallback` where there is none. Throws `PictureFault` for what isn't a number. */
  number(tag: number, fallback?: number): number {
    const value = this.tags.get(tag);
    if (value === undefined) {
      if (fallback === undefined) throw cutOff('the TIFF lacks its size');
      return fallback;
    }
    if (value.kind !== 'numbers') throw cutOff(`the TIFF's tag ${tag} is no whole number`);
    return value.values()[0]!;
  }

  numbers(tag: number, fallback: readonly number[] = []): readonly number[] {
    const value = this.tags.get(tag);
    if (value === undefined) return fallback;
    if (value.kind !== 'numbers') throw cutOff(`the TIFF's tag ${tag} has no whole numbers`);
    return value.values();
  }

  text(tag: number): string | undefined {
    const value = this.tags.get(tag);
    return value?.kind === 'bytes' ? Buffer.from(value.values()).toString('latin1') : undefined;
  }
}

/** Throws `PictureFault` for a page that Pillow can't read. */
export function layoutOf(tags: Tags, little: boolean): PageLayout {
  if (tags.has(TAG.mediaPhoto)) throw cutOff('a TIFF of the kind Windows Media Photo');
  const compression = tags.number(TAG.compression, RAW);
  if (!COMPRESSIONS.includes(compression)) throw broken(`TIFF compression ${compression} can't be read`);
  const photometric = compression === OLD_JPEG ? 6 : tags.number(TAG.photometric, 0);
  const fillOrder = tags.number(TAG.fillOrder, 1);
  const planar = tags.number(TAG.planar, 1) === 2;
  const [width, height] = [tags.number(TAG.width), tags.number(TAG.height)];
  if (width < 1 || height < 1) throw cutOff(`a TIFF of ${width}×${height} pixels can't be read`);
  const formats = tags.numbers(TAG.sampleFormat, [1]);
  const format = formats.every((value) => value === formats[0]) ? formats[0]! : -1;
  let bits = [...tags.numbers(TAG.bits, [1])];
  let extra = [...tags.numbers(TAG.extraSamples)];
  let samples = tags.number(
    TAG.samples,
    compression === OLD_JPEG && (photometric === 2 || photometric === 6) ? 3 : 1,
  );
  if (planar && extra.length > 0 && Math.max(...extra) === 0) {
    // Samples that nobody knows lie in planes of their own, which can be left out.
    bits = bits.slice(0, Math.max(0, bits.length - extra.length));
    samples -= extra.length;
    extra = [];
  }
  if (samples > MAX_SAMPLES) throw broken(`a TIFF of ${samples} samples a pixel can't be read`);
  if (samples < bits.length) bits = samples < 0 ? bits.slice(0, samples) : bits.slice(0, samples);
  else if (bits.length === 1) bits = Array.from({ length: samples }, () => bits[0]!);
  if (bits.length !== samples || samples < 1)
    throw broken('the TIFF says how many samples a pixel has in two ways');
  const kind = kindOf({ little, photometric, format, fillOrder, bits, extra });
  if (kind === undefined) {
    throw broken(
      `a TIFF of this kind can't be read (photometric ${photometric}, ${bits.join('+')} bits, extra samples ${extra.join('+') || 'none'}); save it as PNG`,
    );
  }
  const named = { 1: 'unsigned', 2: 'signed', 3: 'float' } as const;
  return {
    width,
    height,
    compression,
    planar,
    fillOrder,
    // A grey picture that doesn't say which end is white is turned round where it has 8 bits or fewer.
    photometric: bits[0] === 16 && !tags.has(TAG.photometric) ? 1 : photometric,
    samples,
    ...kind,
    bits: bits[0]!,
    format: named[format as 1 | 2 | 3],
  };
}

interface Key {
  readonly little: boolean;
  readonly photometric: number;
  readonly format: number;
  readonly fillOrder: number;
  readonly bits: readonly number[];
  readonly extra: readonly number[];
}

/** Pillow's table by its rules. CMYK with alpha is not in it: nothing else reads such files rightly. */
function kindOf({
  little,
  photometric,
  format,
  fillOrder,
  bits,
  extra,
}: Key): Pick<PageLayout, 'colours' | 'alpha'> | undefined {
  const bytes = bits.every((value) => value === 8);
  const first = bits[0]!;
  const none = { alpha: 'none' } as const;
  const usual = format === 1 && fillOrder === 1;
  const unknown = (from: number) => extra.slice(from).every((value) => value === 0);
  switch (photometric) {
    case 0:
    case 1:
      if (bits.length === 2)
        return usual && photometric === 1 && bytes && same(extra, [2])
          ? { colours: 'grey', alpha: 'straight' }
          : undefined;
      return bits.length === 1 &&
        extra.length === 0 &&
        greyIsKnown(first, { little, photometric, format, fillOrder })
        ? { colours: 'grey', ...none }
        : undefined;
    case 2: {
      if (
        format !== 1 ||
        (fillOrder !== 1 && !(fillOrder === 2 && bytes && bits.length === 3 && extra.length === 0))
      )
        return undefined;
      const deep = bits.every((value) => value === 16);
      if ((!bytes && !deep) || bits.length < 3 || (deep && bits.length > 4)) return undefined;
      if (bits.length === 3) return extra.length === 0 ? { colours: 'rgb', ...none } : undefined;
      if (bits.length === 4 && extra.length === 0) return { colours: 'rgb', alpha: 'straight' };
      if (extra.length !== bits.length - 3 || !unknown(1)) return undefined;
      if (extra[0] === 0) return { colours: 'rgb', ...none };
      if (extra[0] === 1) return { colours: 'rgb', alpha: 'premultiplied' };
      return extra[0] === 2 || (extra[0] === 999 && bytes && bits.length === 4)
        ? { colours: 'rgb', alpha: 'straight' }
        : undefined;
    }
    case 3:
      if (format !== 1) return undefined;
      if (bits.length === 1)
        return extra.length === 0 && [1, 2, 4, 8].includes(first) && [1, 2].includes(fillOrder)
          ? { colours: 'palette', ...none }
          : undefined;
      if (!usual || !bytes || bits.length !== 2) return undefined;
      return same(extra, [0])
        ? { colours: 'palette', ...none }
        : same(extra, [2])
          ? { colours: 'palette', alpha: 'straight' }
          : undefined;
    case 5:
      if (!usual || bits.length < 4) return undefined;
      if (bits.length === 4)
        return extra.length === 0 && (bytes || bits.every((value) => value === 16))
          ? { colours: 'cmyk', ...none }
          : undefined;
      if (!bytes || extra.length !== bits.length - 4 || !unknown(1)) return undefined;
      return extra[0] === 0
        ? { colours: 'cmyk', ...none }
        : extra[0] === 2
          ? { colours: 'cmyk', alpha: 'straight' }
          : undefined;
    case 6:
      if (!usual || !bytes || extra.length > 0) return undefined;
      return bits.length === 1
        ? { colours: 'grey', ...none }
        : bits.length === 3
          ? { colours: 'rgb', ...none }
          : undefined;
    case 8:
      return usual && bytes && bits.length === 3 && extra.length === 0
        ? { colours: 'lab', ...none }
        : undefined;
    default:
      return undefined;
  }
}

function greyIsKnown(
  bits: number,
  { little, photometric, format, fillOrder }: Omit<Key, 'bits' | 'extra'>,
): boolean {
  if (fillOrder !== 1 && fillOrder !== 2) return false;
  const white = photometric === 0;
  if (bits <= 8 && format === 1) return [1, 2, 4, 8].includes(bits);
  if (fillOrder === 2) return bits === 16 && format === 1 && little && !white;
  if (bits === 8) return format === 2 && !white;
  if (bits === 12) return format === 1 && little && !white;
  if (bits === 16) return format === 1 ? little || !white : format === 2 && !white;
  if (bits === 32) return format === 3 || (!white && (format === 2 || (format === 1 && little)));
  return false;
}

function same(values: readonly number[], expected: readonly number[]): boolean {
  return values.length === expected.length && values.every((value, index) => value === expected[index]);
}
