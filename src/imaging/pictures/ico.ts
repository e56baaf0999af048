/** Windows icons: of the pictures in a file the largest, of equal ones that of the fewest colours that Pillow picks (IcoImagePlugin.py). */
import type { Budget } from './budget.js';
import { drawBmp } from './bmp/bmp.js';
import { readBmpHeader } from './bmp/header.js';
import { ByteSource } from './byte-source.js';
import { broken } from './fault.js';
import type { Frame } from './frame.js';
import { decodePng, isPng } from './png/png.js';

interface Entry {
  readonly pixels: number;
  readonly depth: number;
  readonly bits: number;
  readonly size: number;
  readonly offset: number;
}

export function isIco(bytes: Buffer): boolean {
  return bytes.length > 22 && bytes.readUInt32LE(0) === 0x10000 && bytes.readUInt16LE(4) > 0;
}

/** The one picture. Rejects with `PictureError`. */
export async function decodeIco(bytes: Buffer, budget: Budget): Promise<Frame[]> {
  const entries = Array.from({ length: bytes.readUInt16LE(4) }, (_, index) => entryAt(bytes, 6 + index * 16));
  const [entry] = entries.toSorted((a, b) => b.pixels - a.pixels || a.depth - b.depth);
  if (entry === undefined) throw broken('the icon holds no picture');
  const inside = bytes.subarray(entry.offset);
  if (isPng(inside)) return (await decodePng(inside, budget)).slice(0, 1);
  return [await decodeBitmap(bytes, entry, budget)];
}

function entryAt(bytes: Buffer, at: number): Entry {
  if (at + 16 > bytes.length) throw broken('the icon is cut off');
  const [width, height, colours] = [bytes[at]! || 256, bytes[at + 1]! || 256, bytes[at + 2]!];
  const bits = bytes.readUInt16LE(at + 6);
  const depth = bits || (colours === 0 ? 256 : Math.ceil(Math.log2(colours)));
  return {
    pixels: width * height,
    depth,
    bits,
    size: bytes.readUInt32LE(at + 8),
    offset: bytes.readUInt32LE(at + 12),
  };
}

/** A BMP of twice the height: below the colours lie bits that say what is transparent. */
async function decodeBitmap(bytes: Buffer, entry: Entry, budget: Budget): Promise<Frame> {
  const source = new ByteSource(bytes);
  source.at = entry.offset;
  const doubled = readBmpHeader(source, 0);
  const [width, height] = [doubled.width, Math.floor(doubled.height / 2)];
  await budget.spend(width, height);
  const frame = drawBmp(bytes, { ...doubled, height });
  const { rgba } = frame;
  const stride = entry.bits === 32 ? width * 4 : Math.ceil(width / 32) * 4;
  const start = entry.bits === 32 ? doubled.pixels : entry.offset + entry.size - stride * height;
  if (start < 0 || start + stride * height > bytes.length) throw broken("the icon's transparency is cut off");
  for (let y = 0; y < height; y++) {
    const row = start + (height - 1 - y) * stride;
    for (let x = 0; x < width; x++) {
      const opacity =
        entry.bits === 32
          ? bytes[row + x * 4 + 3]!
          : ((bytes[row + (x >> 3)]! >> (7 - (x & 7))) & 1) === 0
            ? 255
            : 0;
      rgba[(y * width + x) * 4 + 3] = opacity;
    }
  }
  return { ...frame, alpha: 'channel' };
}
