/** A PNG frame's data to samples (PNG specification, 9 and 8.2), as far as the data goes. */
import { constants, inflateSync } from 'node:zlib';
import type { Box } from './chunk-stream.js';
import { inflatePrefix } from './inflate-prefix.js';

/** Samples of the whole picture, channels interleaved: 8 bits each, grey of fewer bits scaled up, palette indices as they are; or 16. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly samples: Uint8Array | Uint16Array;
}

export interface ScanlineLayout {
  readonly bits: number;
  readonly colourType: number;
  readonly interlaced: boolean;
}

/** `damaged`: the data ends in a fault; `short`: it ends before the last row. What there is was drawn. */
export type DataState = 'whole' | 'short' | 'damaged';

interface Pass {
  readonly left: number;
  readonly top: number;
  readonly acrossStep: number;
  readonly downStep: number;
  readonly columns: number;
  readonly rows: number;
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Draws into the box of the canvas. */
export function drawScanlines(
  canvas: Canvas,
  box: Box,
  layout: ScanlineLayout,
  pieces: readonly Buffer[],
): DataState {
  const [left, top, right, bottom] = box;
  const [width, height] = [right - left, bottom - top];
  const passes = layout.interlaced ? interlacedPasses(width, height) : [plainPass(width, height)];
  const bitsPerPixel = layout.bits * canvas.channels;
  const rowBytes = ({ columns }: Pass) => Math.ceil((columns * bitsPerPixel) / 8) + 1;
  const total = passes.reduce((sum, pass) => sum + rowBytes(pass) * pass.rows, 0);
  const { bytes, damaged, ended } = inflate(pieces, total);
  const bytesPerPixel = Math.ceil(bitsPerPixel / 8);
  const unpack = unpacker(canvas, layout);
  let at = 0;
  for (const pass of passes) {
    const length = rowBytes(pass);
    let previous: Uint8Array = new Uint8Array(length);
    for (let row = 0; row < pass.rows; row++, at += length) {
      if (at + length > bytes.length)
        return damaged ? 'damaged' : at === bytes.length && at > 0 && ended ? 'whole' : 'short';
      const line = bytes.subarray(at, at + length);
      if (!undoFilter(line, previous, bytesPerPixel)) return 'damaged';
      // Pillow puts interlaced rows at the picture's top, whatever the frame's box; such frames are rare.
      const y = (layout.interlaced ? 0 : top) + pass.top + row * pass.downStep;
      const x = (layout.interlaced ? 0 : left) + pass.left;
      unpack(line.subarray(1), (y * canvas.width + x) * canvas.channels, pass);
      previous = line;
    }
  }
  return 'whole';
}

function plainPass(columns: number, rows: number): Pass {
  return { left: 0, top: 0, acrossStep: 1, downStep: 1, columns, rows };
}

function interlacedPasses(width: number, height: number): Pass[] {
  return ADAM7.map(([left, top, acrossStep, downStep]) => ({
    left,
    top,
    acrossStep,
    downStep,
    columns: Math.max(0, Math.ceil((width - left) / acrossStep)),
    rows: Math.max(0, Math.ceil((height - top) / downStep)),
  })).filter(({ columns, rows }) => columns > 0 && rows > 0);
}

function inflate(
  pieces: readonly Buffer[],
  total: number,
): { bytes: Uint8Array; damaged: boolean; ended: boolean } {
  const packed = Buffer.concat(pieces);
  const options = { maxOutputLength: total + (1 << 16) };
  try {
    return { bytes: inflateSync(packed, options), damaged: false, ended: true };
  } catch {
    // Cut off, too long or damaged: what there is of it.
  }
  try {
    return {
      bytes: inflateSync(packed, { ...options, finishFlush: constants.Z_SYNC_FLUSH }),
      damaged: false,
      ended: false,
    };
  } catch {
    const { bytes, reason, outputAt, at } = inflatePrefix(packed, total);
    if (reason !== 'at once' && reason !== 'room')
      return { bytes, damaged: false, ended: reason === undefined };
    // zlib finds the fault in the call that would have given the last row, unless more input had to come first.
    const lost = reason === 'at once' && !splitBetween(pieces, outputAt, at);
    return {
      bytes: lost ? bytes.subarray(0, Math.max(0, bytes.length - 1)) : bytes,
      damaged: true,
      ended: false,
    };
  }
}

/** Pillow reads at most so many bytes at once. */
const READ_SIZE = 65536;

function splitBetween(pieces: readonly Buffer[], outputAt: number, faultAt: number): boolean {
  let start = 0;
  for (const { length } of pieces) {
    for (let end = start + Math.min(READ_SIZE, length); ; end = Math.min(end + READ_SIZE, start + length)) {
      if (outputAt <= end && end < faultAt) return true;
      if (end === start + length) break;
    }
    start += length;
  }
  return false;
}

/** Adds what the filter took away. False for a filter that PNG doesn't know. */
function undoFilter(line: Uint8Array, previous: Uint8Array, step: number): boolean {
  switch (line[0]) {
    case 0:
      return true;
    case 1:
      for (let i = step + 1; i < line.length; i++) line[i] = line[i]! + line[i - step]!;
      return true;
    case 2:
      for (let i = 1; i < line.length; i++) line[i] = line[i]! + previous[i]!;
      return true;
    case 3:
      for (let i = 1; i < line.length; i++) {
        line[i] = line[i]! + (((i > step ? line[i - step]! : 0) + previous[i]!) >> 1);
      }
      return true;
    case 4:
      for (let i = 1; i < line.length; i++) {
        const [a, c] = i > step ? [line[i - step]!, previous[i - step]!] : [0, 0];
        line[i] = line[i]! + paeth(a, previous[i]!, c);
      }
      return true;
    default:
      return false;
  }
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

type Unpack = (line: Uint8Array, start: number, pass: Pass) => void;

function unpacker({ samples, channels }: Canvas, { bits, colourType }: ScanlineLayout): Unpack {
  if (bits === 16) {
    return (line, start, { columns, acrossStep }) => {
      for (let x = 0, to = start, from = 0; x < columns; x++, to += acrossStep * channels) {
        for (let c = 0; c < channels; c++, from += 2) samples[to + c] = line[from]! * 256 + line[from + 1]!;
      }
    };
  }
  if (bits === 8) {
    return (line, start, { columns, acrossStep }) => {
      if (acrossStep === 1) {
        samples.set(line.subarray(0, columns * channels), start);
        return;
      }
      for (let x = 0, to = start, from = 0; x < columns; x++, to += acrossStep * channels) {
        for (let c = 0; c < channels; c++) samples[to + c] = line[from++]!;
      }
    };
  }
  const largest = (1 << bits) - 1;
  const scale = colourType === 3 ? 1 : 255 / largest;
  return (line, start, { columns, acrossStep }) => {
    for (let x = 0; x < columns; x++) {
      const bit = x * bits;
      samples[start + x * acrossStep] = ((line[bit >> 3]! >> (8 - bits - (bit & 7))) & largest) * scale;
    }
  };
}
