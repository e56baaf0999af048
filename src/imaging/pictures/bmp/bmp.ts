/** BMP files as Pillow reads them (BmpImagePlugin.py). */
import type { Budget } from '../budget.js';
import { ByteSource } from '../byte-source.js';
import { cutOff } from '../fault.js';
import type { Frame } from '../frame.js';
import { readBmpHeader, RUNS4, RUNS8, type BmpHeader } from './header.js';
import { readRuns } from './runs.js';

export function isBmp(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 2) === 'BM';
}

/** A BMP without its file header begins with its header's size. */
export function isDib(bytes: Buffer): boolean {
  return bytes.length >= 4 && [12, 40, 52, 56, 64, 108, 124].includes(bytes.readUInt32LE(0));
}

/** The one picture; what is missing at the end of a file is black. Rejects with `PictureError` where Pillow gives up. */
export async function decodeBmp(bytes: Buffer, budget: Budget): Promise<Frame[]> {
  const source = new ByteSource(bytes);
  let pixels = 0;
  if (isBmp(bytes)) pixels = source.readWhole(14).readUInt32LE(10);
  const header = readBmpHeader(source, pixels);
  await budget.spend(header.width, header.height);
  return [drawBmp(bytes, header)];
}

/** The pixels of a picture whose header is read. */
export function drawBmp(bytes: Buffer, header: BmpHeader): Frame {
  const { width, height, bits, compression } = header;
  const rgba = new Uint8Array(width * height * 4);
  const kind = header.bits <= 8 ? kindOf(header) : 'colours';
  if (kind === 'palette' && header.palette.length >= 257 * header.paletteStride) {
    throw cutOff("the BMP's palette has more than 256 colours");
  }
  const colour = colourReader(header, kind);
  const runs = compression === RUNS8 || compression === RUNS4;
  if (runs && (kind === 'colours' || kind === 'bits'))
    throw cutOff(`a BMP of ${bits} bits a pixel can't be run-length encoded`);
  const used = runs || kind === 'greys' ? 8 : kind === 'bits' ? 1 : bits;
  const stride = runs ? width : Math.floor((width * bits + 31) / 32) * 4;
  const rowBytes = Math.ceil((width * used) / 8);
  const data = runs
    ? readRuns(bytes, header.pixels, compression === RUNS4, width, height)
    : bytes.subarray(Math.min(header.pixels, bytes.length));
  if (runs && data.length < width * height) throw cutOff('the BMP is cut off');
  // Greys of fewer bits than 8: Pillow takes each for a byte, doesn't find as many, and leaves the picture black.
  const rows = rowBytes > stride ? 0 : Math.min(height, Math.floor((data.length - rowBytes) / stride) + 1);
  const view = Buffer.from(data.buffer, data.byteOffset, data.length);
  for (let row = 0; row < height; row++) {
    const y = header.topDown ? row : height - 1 - row;
    for (let x = 0; x < width; x++) {
      if (row < rows) colour(view, row * stride, x, used, rgba, (y * width + x) * 4);
      else if (kind === 'palette') colour(NOTHING, 0, 0, 8, rgba, (y * width + x) * 4);
      else if (header.masks[3] === 0) rgba[(y * width + x) * 4 + 3] = 255;
    }
  }
  return { width, height, rgba, alpha: kind === 'colours' && header.masks[3] !== 0 ? 'channel' : 'none' };
}

const NOTHING = Buffer.alloc(8);

/** What Pillow takes a palette for: one that counts up is none. */
type Kind = 'palette' | 'greys' | 'bits' | 'colours';

function kindOf({ palette, paletteStride, colours }: BmpHeader): Kind {
  for (let index = 0; index < colours; index++) {
    const grey = colours === 2 ? index * 255 : index & 255;
    const at = index * paletteStride;
    if (
      palette.length < at + 3 ||
      palette[at] !== grey ||
      palette[at + 1] !== grey ||
      palette[at + 2] !== grey
    )
      return 'palette';
  }
  return colours === 2 ? 'bits' : 'greys';
}

type Colour = (bytes: Buffer, row: number, x: number, bits: number, into: Uint8Array, at: number) => void;

function colourReader({ bits, palette, paletteStride, masks }: BmpHeader, kind: Kind): Colour {
  if (kind !== 'colours') {
    return (bytes, row, x, used, into, at) => {
      const bit = x * used;
      const index = (bytes[row + (bit >> 3)]! >> (8 - used - (bit & 7))) & ((1 << used) - 1);
      const entry = index * paletteStride;
      const grey = kind === 'bits' ? index * 255 : index;
      for (let c = 0; c < 3; c++) into[at + c] = kind === 'palette' ? (palette[entry + 2 - c] ?? 0) : grey;
      into[at + 3] = 255;
    };
  }
  if (bits === 24) {
    return (bytes, row, x, _, into, at) => {
      for (let c = 0; c < 3; c++) into[at + c] = bytes[row + x * 3 + 2 - c]!;
      into[at + 3] = 255;
    };
  }
  const fields = masks.map(fieldReader);
  return (bytes, row, x, _, into, at) => {
    const value = bits === 16 ? bytes.readUInt16LE(row + x * 2) : bytes.readUInt32LE(row + x * 4);
    for (let c = 0; c < 4; c++) into[at + c] = c === 3 && masks[3] === 0 ? 255 : fields[c]!(value);
  };
}

/** Takes a field out of a pixel, scaled to 0 … 255. */
function fieldReader(mask: number): (value: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const largest = mask >>> shift;
  return (value) => Math.floor((((value & mask) >>> shift) * 255) / largest);
}
