import { decodeBmp } from './bmp.js';
import type { Frame } from './frame.js';
import { decodeGif } from './gif.js';
import { decodeRaster } from './raster.js';

/**
 * The frames of a picture file, as Pillow would read them: PNG, JPEG, WebP, GIF, TIFF, AVIF and BMP, told by their first
 * bytes. At least one; those of TIFF pages may differ in size. Throws `PictureError` saying what is wrong with the file.
 */
export async function decodePicture(bytes: Buffer): Promise<Frame[]> {
  if (bytes.toString('latin1', 0, 4) === 'GIF8') return decodeGif(bytes);
  if (bytes.toString('latin1', 0, 2) === 'BM') return [decodeBmp(bytes)];
  return decodeRaster(bytes);
}
