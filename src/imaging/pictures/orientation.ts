/** How a picture is turned, by its EXIF block or XMP (Pillow's Image.getexif and ImageOps.exif_transpose). */
import { broken } from './fault.js';
import type { Frame } from './frame.js';

const ORIENTATION = 0x112;
const TYPE_SIZES: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
};
const HEADERS = ['MM\0*', 'II*\0', 'MM*\0', 'II\0*', 'MM\0+', 'II+\0'];

/** The number in an EXIF block, if it has one. Throws `PictureFault` for what is no EXIF block. */
export function exifOrientation(block: Buffer): number | undefined {
  let bytes = block;
  while (bytes.toString('latin1', 0, 6) === 'Exif\0\0') bytes = bytes.subarray(6);
  if (bytes.length === 0) return undefined;
  if (!HEADERS.includes(bytes.toString('latin1', 0, 4)) || bytes.length < 8) {
    throw broken('its EXIF block is damaged');
  }
  const little = bytes[0] === 0x49;
  const number = (at: number, size: 2 | 4) =>
    little ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  const start = number(4, 4);
  if (start + 2 > bytes.length) return undefined;
  let found: number | undefined;
  for (let entry = 0; entry < number(start, 2); entry++) {
    const at = start + 2 + entry * 12;
    if (at + 12 > bytes.length) break;
    const [type, count] = [number(at + 2, 2), number(at + 4, 4)];
    const size = (TYPE_SIZES[type] ?? 0) * count;
    if (size > 4 && number(at + 8, 4) + size > bytes.length) break;
    if (number(at, 2) !== ORIENTATION || size === 0) continue;
    const from = size > 4 ? number(at + 8, 4) : at + 8;
    found =
      type === 3 || type === 8
        ? number(from, 2)
        : type === 4 || type === 9 || type === 13
          ? number(from, 4)
          : undefined;
  }
  return found;
}

export function xmpOrientation(text: string): number | undefined {
  const digit = /tiff:Orientation(?:="|>)([0-9])/.exec(text)?.[1];
  return digit === undefined ? undefined : Number(digit);
}

/** The frame upright; numbers but 2 to 8 leave it as it is. */
export function turned(frame: Frame, orientation: number | undefined): Frame {
  if (orientation === undefined || orientation < 2 || orientation > 8) return frame;
  const { width, height, rgba } = frame;
  const swapped = orientation >= 5;
  const [columns, rows] = swapped ? [height, width] : [width, height];
  const flipX = [2, 3, 7, 8].includes(orientation);
  const flipY = [3, 4, 6, 7].includes(orientation);
  const result = rgba instanceof Float32Array ? new Float32Array(rgba.length) : new Uint8Array(rgba.length);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [alongX, alongY] = swapped ? [y, x] : [x, y];
      const sourceX = flipX ? width - 1 - alongX : alongX;
      const sourceY = flipY ? height - 1 - alongY : alongY;
      const from = (sourceY * width + sourceX) * 4;
      const to = (y * columns + x) * 4;
      result[to] = rgba[from]!;
      result[to + 1] = rgba[from + 1]!;
      result[to + 2] = rgba[from + 2]!;
      result[to + 3] = rgba[from + 3]!;
    }
  }
  return { ...frame, width: columns, height: rows, rgba: result };
}
