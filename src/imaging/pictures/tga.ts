/** Targa files (TgaImagePlugin.py). They have no first bytes of their own: their header has to make sense. */
import type { Budget } from './budget.js';
import { broken } from './fault.js';
import type { Frame } from './frame.js';

const HEADER = 18;
const [PALETTE, COLOURS, GREYS] = [1, 2, 3];
/** Bits a pixel by the kind of picture. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = { 1: [8], 2: [16, 24, 32], 3: [1, 8, 16] };

export function isTga(bytes: Buffer): boolean {
  if (bytes.length <= HEADER) return false;
  const [, hasMap, type] = bytes as unknown as readonly [number, number, number];
  const mapDepth = bytes[7]!;
  return (
    hasMap <= 1 &&
    (DEPTHS[type & ~8]?.includes(bytes[16]!) ?? false) &&
    (hasMap === 0 || [16, 24, 32].includes(mapDepth)) &&
    bytes.readUInt16LE(12) > 0 &&
    bytes.readUInt16LE(14) > 0
  );
}

/** The one picture; what is missing at its end is black. Rejects with `PictureError`. */
export async function decodeTga(bytes: Buffer, budget: Budget): Promise<Frame[]> {
  const [width, height, depth, flags] = [
    bytes.readUInt16LE(12),
    bytes.readUInt16LE(14),
    bytes[16]!,
    bytes[17]!,
  ];
  const type = bytes[2]!;
  await budget.spend(width, height);
  const mapped = bytes[1] === 1;
  const [first, entries, mapBytes] = [bytes.readUInt16LE(3), bytes.readUInt16LE(5), bytes[7]! / 8];
  const mapAt = HEADER + bytes[0]!;
  const start = mapAt + (mapped ? entries * mapBytes : 0);
  const map = bytes.subarray(mapAt, start);
  const pixelBytes = Math.ceil(depth / 8);
  const packed = depth === 1 ? oneBit(bytes.subarray(start), width, height) : bytes.subarray(start);
  const data = (type & 8) === 0 ? packed : unpackRuns(packed, pixelBytes, width * height);
  const [fromRight, fromTop] = [(flags & 0x10) !== 0, (flags & 0x20) !== 0];
  const rgba = new Uint8Array(width * height * 4);
  const indexed = (type & ~8) === PALETTE && mapped;
  const noAlpha = saysNoAlpha(bytes);
  const alpha = ((type & ~8) === COLOURS && depth !== 24) || ((type & ~8) === GREYS && depth === 16);
  for (let index = 0; index < width * height; index++) {
    const [row, column] = [Math.floor(index / width), index % width];
    const to = ((fromTop ? row : height - 1 - row) * width + (fromRight ? width - 1 - column : column)) * 4;
    const at = index * pixelBytes;
    if (at + pixelBytes > data.length) {
      rgba[to + 3] = alpha ? 0 : 255;
    } else if (indexed) {
      const entry = (data[at]! - first) * mapBytes;
      if (entry >= 0 && entry + mapBytes <= map.length) putColour(map, entry, mapBytes, rgba, to);
      rgba[to + 3] = 255;
    } else putColour(data, at, pixelBytes, rgba, to, (type & ~8) !== COLOURS);
    if (alpha && noAlpha) rgba[to + 3] = 255;
  }
  return [{ width, height, rgba, alpha: alpha ? 'channel' : 'none' }];
}

function putColour(
  from: Uint8Array,
  at: number,
  size: number,
  into: Uint8Array,
  to: number,
  grey = false,
): void {
  if (grey) {
    into.fill(from[at]!, to, to + 3);
    into[to + 3] = size === 2 ? from[at + 1]! : 255;
  } else if (size === 2) {
    const pixel = from[at]! | (from[at + 1]! << 8);
    for (let c = 0; c < 3; c++) into[to + c] = Math.floor((((pixel >> (10 - 5 * c)) & 31) * 255) / 31);
    // The bit is turned round, as Pillow takes it.
    into[to + 3] = pixel >> 15 === 0 ? 255 : 0;
  } else {
    for (let c = 0; c < 3; c++) into[to + c] = from[at + 2 - c]!;
    into[to + 3] = size === 4 ? from[at + 3]! : 255;
  }
}

function oneBit(bytes: Buffer, width: number, height: number): Uint8Array {
  const stride = Math.ceil(width / 8);
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const x = i % width;
    return ((bytes[Math.floor(i / width) * stride + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1 ? 255 : 0;
  });
}

/** Runs of one pixel, and pixels as they are. Throws `PictureFault` where they don't fill the picture. */
function unpackRuns(packed: Uint8Array, size: number, pixels: number): Uint8Array {
  const result = new Uint8Array(pixels * size);
  let to = 0;
  for (let at = 0; to < result.length && at < packed.length;) {
    const head = packed[at++]!;
    const count = (head & 127) + 1;
    const taken = head < 128 ? count * size : size;
    const piece = packed.subarray(at, at + taken);
    at += taken;
    if (piece.length < taken) break;
    for (let i = 0; i < count * size && to < result.length; i++) result[to++] = piece[i % taken]!;
  }
  return result.subarray(0, to);
}

/** The end of a file of version 2 may say that its fourth channel means nothing. */
function saysNoAlpha(bytes: Buffer): boolean {
  const footer = bytes.subarray(Math.max(0, bytes.length - 26));
  if (footer.length < 26 || footer.toString('latin1', 8) !== 'TRUEVISION-XFILE.\0') return false;
  const extension = footer.readUInt32LE(0);
  if (extension > bytes.length) throw broken('the end of the TGA is damaged');
  return extension !== 0 && bytes[extension + 494] === 0;
}
