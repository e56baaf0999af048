/** How a picture is turned, by its EXIF block or XMP (Pillow's Image.getexif and ImageOps.exif_transpose). */
import { broken } from './fault.js';
import type { Frame } from './frame.js';
import { isTiff, readDirectory, readTiffHeader } from './tiff/directory.js';

const ORIENTATION = 0x112;

/** The number in an EXIF block, if it has one. Throws `PictureFault` for what is no EXIF block. */
export function exifOrientation(block: Buffer): number | undefined {
  let bytes = block;
  while (bytes.toString('latin1', 0, 6) === 'Exif\0\0') bytes = bytes.subarray(6);
  if (bytes.length === 0) return undefined;
  const header = isTiff(bytes) && bytes.length >= 8 ? readTiffHeader(bytes) : undefined;
  if (header === undefined || header.big) throw broken('its EXIF block is damaged');
  const value = readDirectory(bytes, header, header.first).tags.get(ORIENTATION);
  return value?.kind === 'numbers' ? value.values()[0] : undefined;
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
