/** What a BMP's header says, and which of it Pillow can read (BmpImagePlugin.py). */
import type { ByteSource } from '../byte-source.js';
import { cutOff } from '../fault.js';

export const [RAW, RUNS8, RUNS4, BITFIELDS] = [0, 1, 2, 3];

export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Of red, green, blue and alpha in a pixel of 16 or 32 bits. */
  readonly masks: readonly [number, number, number, number];
  /** Blue, green, red and, in all but the oldest files, a byte more of each colour. */
  readonly palette: Buffer;
  readonly paletteStride: number;
  readonly colours: number;
  /** Where the pixels begin. */
  readonly pixels: number;
}

const HEADER_SIZES = [40, 52, 56, 64, 108, 124];
const MASKS_32 = [
  [0xff0000, 0xff00, 0xff, 0],
  [0xff000000, 0xff0000, 0xff00, 0],
  [0xff000000, 0xff00, 0xff, 0],
  [0xff000000, 0xff0000, 0xff00, 0xff],
  [0xff, 0xff00, 0xff0000, 0xff000000],
  [0xff0000, 0xff00, 0xff, 0xff000000],
  [0xff000000, 0xff00, 0xff, 0xff0000],
];
const MASKS_16 = [
  [0xf800, 0x7e0, 0x1f],
  [0x7c00, 0x3e0, 0x1f],
];

/** Reads from the header's size on. `pixels` is where the file says they begin; 0 where they follow. Throws `PictureFault`. */
export function readBmpHeader(source: ByteSource, pixels: number): BmpHeader {
  const size = source.readWhole(4).readUInt32LE(0);
  if (size !== 12 && !HEADER_SIZES.includes(size))
    throw cutOff(`a BMP header of ${size} bytes can't be read`);
  const head = source.readWhole(size - 4);
  const layout = size === 12 ? oldLayout(head) : layoutOf(head);
  const { bits, compression, paletteStride } = layout;
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw cutOff(`a BMP of ${bits} bits a pixel can't be read`);
  const masks = compression === BITFIELDS ? bitMasks(source, head, bits) : plainMasks(bits);
  if (compression > BITFIELDS)
    throw cutOff(`BMP compression ${compression} can't be read; save the picture as PNG`);
  const colours = layout.colours === 0 ? 2 ** bits : layout.colours;
  const follows = pixels === 14 + size && bits <= 8 ? paletteStride * colours : 0;
  if (bits <= 8 && colours > 65536) throw cutOff(`a BMP palette of ${colours} colours can't be read`);
  const stored = source.read(bits <= 8 ? paletteStride * colours : 0);
  const palette = stored.subarray(0, stored.length - (stored.length % paletteStride));
  return { ...layout, masks, palette, colours, pixels: pixels === 0 ? source.at : pixels + follows };
}

function oldLayout(head: Buffer) {
  return {
    width: head.readUInt16LE(0),
    height: head.readUInt16LE(2),
    topDown: false,
    bits: head.readUInt16LE(6),
    compression: RAW,
    paletteStride: 3,
    colours: 0,
  };
}

function layoutOf(head: Buffer) {
  const topDown = head[7] === 0xff;
  const height = head.readUInt32LE(4);
  return {
    width: head.readUInt32LE(0),
    height: topDown ? 2 ** 32 - height : height,
    topDown,
    bits: head.readUInt16LE(10),
    compression: head.readUInt32LE(12),
    paletteStride: 4,
    colours: head.readUInt32LE(28),
  };
}

/** Without masks of its own a file has no alpha, whatever its fourth byte says. */
function plainMasks(bits: number): BmpHeader['masks'] {
  return bits === 16 ? [0x7c00, 0x3e0, 0x1f, 0] : [0xff0000, 0xff00, 0xff, 0];
}

function bitMasks(source: ByteSource, head: Buffer, bits: number): BmpHeader['masks'] {
  const inside = head.length >= 48;
  const bytes = inside ? head.subarray(36) : source.readWhole(12);
  const [red, green, blue] = [0, 4, 8].map((at) => bytes.readUInt32LE(at)) as [number, number, number];
  const alpha = head.length >= 52 ? bytes.readUInt32LE(12) : 0;
  const same = (known: readonly number[]) =>
    [red, green, blue, alpha].slice(0, known.length).every((mask, i) => mask === known[i]);
  if (bits === 32 && [red, green, blue, alpha].every((mask) => mask === 0))
    return [0xff0000, 0xff00, 0xff, 0xff000000];
  if (bits === 32 && MASKS_32.some(same)) return [red, green, blue, alpha];
  if (bits === 24 && same([0xff0000, 0xff00, 0xff])) return [red, green, blue, 0];
  if (bits === 16 && MASKS_16.some(same)) return [red, green, blue, 0];
  throw cutOff('the BMP lays out the bits of its pixels in a way that is not known');
}
