/** Uncompressed BMP files, as Pillow reads them (BmpImagePlugin.py). */
import { MAX_PIXELS, PictureError, type Frame } from './frame.js';

const FILE_HEADER = 14;
const BITFIELDS = 3;

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly bottomUp: boolean;
  readonly bits: number;
  readonly palette: Uint8Array;
  /** Bytes of a palette entry: 3 in OS/2 files, else 4. */
  readonly paletteStride: number;
  /** Of red, green, blue and alpha, for 16 and 32 bits. */
  readonly masks: readonly [number, number, number, number];
  readonly pixels: number;
}

/** The one picture. Throws `PictureError` for a compressed or damaged file. */
export function decodeBmp(bytes: Buffer): Frame {
  const layout = readLayout(bytes);
  const { width, height, bits } = layout;
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (layout.pixels + stride * height > bytes.length) throw new PictureError('the BMP is cut off');
  const rgba = new Uint8Array(width * height * 4);
  const colour = colourReader(layout);
  for (let y = 0; y < height; y++) {
    const row = layout.pixels + (layout.bottomUp ? height - 1 - y : y) * stride;
    for (let x = 0; x < width; x++) rgba.set(colour(bytes, row, x), (y * width + x) * 4);
  }
  return { width, height, rgba, alpha: layout.masks[3] === 0 ? 'none' : 'channel' };
}

function readLayout(bytes: Buffer): Layout {
  if (bytes.length < FILE_HEADER + 12) throw new PictureError('the BMP is cut off');
  const pixels = bytes.readUInt32LE(10);
  const headerSize = bytes.readUInt32LE(14);
  if (headerSize === 12) return os2Layout(bytes, pixels);
  if (headerSize < 40 || bytes.length < FILE_HEADER + headerSize)
    throw new PictureError('a damaged BMP header');
  const [width, signedHeight] = [bytes.readInt32LE(18), bytes.readInt32LE(22)];
  const bits = bytes.readUInt16LE(28);
  const compression = bytes.readUInt32LE(30);
  if (compression !== 0 && compression !== BITFIELDS) {
    throw new PictureError(`BMP compression ${compression} can't be read; save the picture as PNG`);
  }
  const height = Math.abs(signedHeight);
  check(width, height, bits);
  const colours = bytes.readUInt32LE(46) || 1 << Math.min(bits, 8);
  const afterHeader = FILE_HEADER + headerSize;
  const paletteBytes =
    bits <= 8 ? bytes.subarray(afterHeader, afterHeader + colours * 4) : bytes.subarray(0, 0);
  return {
    width,
    height,
    bits,
    pixels,
    bottomUp: signedHeight > 0,
    palette: paletteBytes,
    paletteStride: 4,
    masks: compression === BITFIELDS ? bitMasks(bytes, headerSize) : plainMasks(bits),
  };
}

function os2Layout(bytes: Buffer, pixels: number): Layout {
  const [width, height, bits] = [bytes.readUInt16LE(18), bytes.readUInt16LE(20), bytes.readUInt16LE(24)];
  check(width, height, bits);
  const palette = bytes.subarray(FILE_HEADER + 12, FILE_HEADER + 12 + (bits <= 8 ? 3 << bits : 0));
  return { width, height, bits, pixels, bottomUp: true, palette, paletteStride: 3, masks: plainMasks(bits) };
}

function check(width: number, height: number, bits: number): void {
  if (width < 1 || height < 1 || width * height > MAX_PIXELS) {
    throw new PictureError(`a BMP of ${width}×${height} pixels can't be read`);
  }
  if (![1, 4, 8, 16, 24, 32].includes(bits))
    throw new PictureError(`a BMP of ${bits} bits a pixel can't be read`);
}

/** Without masks of its own a file has no alpha, whatever its fourth byte says. */
function plainMasks(bits: number): Layout['masks'] {
  return bits === 16 ? [0x7c00, 0x3e0, 0x1f, 0] : [0xff0000, 0xff00, 0xff, 0];
}

function bitMasks(bytes: Buffer, headerSize: number): Layout['masks'] {
  const at = (index: number) => bytes.readUInt32LE(FILE_HEADER + 40 + index * 4);
  if (bytes.length < FILE_HEADER + 40 + 16) throw new PictureError('the BMP is cut off');
  return [at(0), at(1), at(2), headerSize >= 56 ? at(3) : 0];
}

type ColourReader = (bytes: Buffer, row: number, x: number) => readonly [number, number, number, number];

function colourReader({ bits, palette, paletteStride, masks }: Layout): ColourReader {
  if (bits <= 8) {
    const perByte = 8 / bits;
    return (bytes, row, x) => {
      const shift = 8 - bits * ((x % perByte) + 1);
      const index = (bytes[row + Math.floor(x / perByte)]! >> shift) & ((1 << bits) - 1);
      const at = index * paletteStride;
      return [palette[at + 2] ?? 0, palette[at + 1] ?? 0, palette[at] ?? 0, 255];
    };
  }
  if (bits === 24) {
    return (bytes, row, x) => [bytes[row + x * 3 + 2]!, bytes[row + x * 3 + 1]!, bytes[row + x * 3]!, 255];
  }
  const [red, green, blue, alpha] = masks.map(fieldReader) as [Field, Field, Field, Field];
  return (bytes, row, x) => {
    const value = bits === 16 ? bytes.readUInt16LE(row + x * 2) : bytes.readUInt32LE(row + x * 4);
    return [red(value), green(value), blue(value), masks[3] === 0 ? 255 : alpha(value)];
  };
}

type Field = (value: number) => number;

/** Takes a field out of a pixel, scaled to 0 … 255. */
function fieldReader(mask: number): Field {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const largest = mask >>> shift;
  return (value) => Math.floor((((value & mask) >>> shift) * 255) / largest);
}
