/** Packed samples of a TIFF as numbers, and numbers as colours (libImaging/Unpack.c, Convert.c). */
import type { Frame } from '../frame.js';
import type { PageLayout } from './layout.js';

/** All samples of a page, interleaved. */
export type Samples = Uint8Array | Uint16Array | Int16Array | Int32Array | Float32Array;

export function samplesFor({ width, height, samples, bits, format }: PageLayout): Samples {
  const length = width * height * samples;
  if (format === 'float') return new Float32Array(length);
  // Pillow takes unsigned ones for signed, too.
  if (bits === 32) return new Int32Array(length);
  if (bits > 8) return format === 'signed' ? new Int16Array(length) : new Uint16Array(length);
  return new Uint8Array(length);
}

export interface RowPlace {
  readonly at: number;
  readonly count: number;
  /** From one sample of the row to the next. */
  readonly step: number;
}

/** Writes the samples of a packed row; those of white-is-zero pictures are turned round, so that what is missing is black. */
export function unpackRow(
  row: Buffer,
  layout: PageLayout,
  little: boolean,
  into: Samples,
  { at, count, step }: RowPlace,
): void {
  const { bits, format, photometric } = layout;
  const read = readerOf(bits, format, little);
  const turnedRound = photometric === 0 && format === 'unsigned' && bits <= 16;
  const whole = (1 << bits) - 1;
  for (let i = 0, to = at; i < count; i++, to += step)
    into[to] = turnedRound ? whole - read(row, i) : read(row, i);
}

function readerOf(
  bits: number,
  format: PageLayout['format'],
  little: boolean,
): (row: Buffer, index: number) => number {
  if (bits === 8) return (row, i) => row[i]!;
  if (bits < 8)
    return (row, i) => (row[(i * bits) >> 3]! >> (8 - bits - ((i * bits) & 7))) & ((1 << bits) - 1);
  if (bits === 12) {
    return (row, i) => {
      const at = (i >> 1) * 3;
      return i % 2 === 0 ? (row[at]! << 4) | (row[at + 1]! >> 4) : ((row[at + 1]! & 15) << 8) | row[at + 2]!;
    };
  }
  if (format === 'float')
    return little ? (row, i) => row.readFloatLE(i * 4) : (row, i) => row.readFloatBE(i * 4);
  if (bits === 32) {
    if (format === 'signed')
      return little ? (row, i) => row.readInt32LE(i * 4) : (row, i) => row.readInt32BE(i * 4);
    return (row, i) => row.readUInt32LE(i * 4);
  }
  if (format === 'signed')
    return little ? (row, i) => row.readInt16LE(i * 2) : (row, i) => row.readInt16BE(i * 2);
  return little ? (row, i) => row.readUInt16LE(i * 2) : (row, i) => row.readUInt16BE(i * 2);
}

/** The page's colours. `colourMap` has 16-bit reds, then greens, then blues. */
export function coloursOf(samples: Samples, layout: PageLayout, colourMap: readonly number[]): Frame {
  const { width, height, bits, alpha, colours, format } = layout;
  const deep = bits === 16 && format === 'unsigned' && colours !== 'cmyk';
  const rgba = deep ? new Float32Array(width * height * 4) : new Uint8Array(width * height * 4);
  const whole = deep ? 65535 : 255;
  const colour = colourReader(samples, layout, colourMap);
  const result = [0, 0, 0, whole];
  for (let pixel = 0; pixel < width * height; pixel++) {
    result[3] = whole;
    colour(pixel * layout.samples, result);
    for (let c = 0; c < 4; c++) rgba[pixel * 4 + c] = deep ? result[c]! / 65535 : result[c]!;
  }
  return { width, height, rgba, alpha: alpha === 'none' ? 'none' : 'channel' };
}

type Colour = (at: number, into: number[]) => void;

function colourReader(samples: Samples, layout: PageLayout, colourMap: readonly number[]): Colour {
  const { colours, alpha, bits } = layout;
  switch (colours) {
    case 'grey':
      return greyReader(samples, layout);
    case 'palette': {
      const entries = Math.floor(colourMap.length / 3);
      return (at, into) => {
        const index = samples[at]!;
        for (let c = 0; c < 3; c++) into[c] = index < entries ? colourMap[c * entries + index]! >> 8 : 0;
        if (alpha === 'straight') into[3] = samples[at + 1]!;
      };
    }
    case 'cmyk':
      return (at, into) => {
        const light = 255 - (samples[at + 3]! >> (bits - 8));
        for (let c = 0; c < 3; c++) {
          const product = (samples[at + c]! >> (bits - 8)) * light + 128;
          into[c] = light - (((product >> 8) + product) >> 8);
        }
        if (alpha === 'straight') into[3] = samples[at + 4]!;
      };
    case 'rgb':
    case 'lab':
      return (at, into) => {
        const opacity = alpha === 'none' ? into[3]! : samples[at + 3]!;
        const whole = bits === 16 ? 65535 : 255;
        for (let c = 0; c < 3; c++)
          into[c] = alpha === 'premultiplied' ? divided(samples[at + c]!, opacity, whole) : samples[at + c]!;
        into[3] = opacity;
      };
  }
}

/** A colour that was multiplied with its opacity. */
function divided(value: number, opacity: number, whole: number): number {
  if (opacity === 0) return 0;
  return opacity === whole ? value : Math.min(whole, Math.floor((whole * value) / opacity));
}

function greyReader(samples: Samples, { bits, format, alpha }: PageLayout): Colour {
  const scale = bits < 8 ? 255 / ((1 << bits) - 1) : 1;
  // Pillow cuts such numbers off at black and white.
  const divided255 = format !== 'float' && (bits === 32 || (bits === 16 && format === 'signed'));
  const clipped = bits > 8 && !(bits === 16 && format === 'unsigned');
  return (at, into) => {
    let grey = samples[at]! * scale;
    // ComfyUI 0.3.64 divides whole numbers by 255 before (nodes.py, LoadImage).
    if (divided255) grey *= 1 / 255;
    if (clipped) grey = grey > 0 ? Math.min(255, Math.trunc(grey)) : 0;
    into[0] = into[1] = into[2] = grey;
    if (alpha === 'straight') into[3] = samples[at + 1]!;
  };
}
