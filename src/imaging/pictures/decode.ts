import { Budget } from './budget.js';
import { decodeBmp, isBmp, isDib } from './bmp/bmp.js';
import { UnknownPictureError, type Frame } from './frame.js';
import { isGif } from './gif/blocks.js';
import { decodeGif } from './gif/gif.js';
import { decodeIco, isIco } from './ico.js';
import { decodeNetpbm, isNetpbm } from './netpbm.js';
import { decodePng, isPng } from './png/png.js';
import { decodeRaster } from './raster.js';
import { isTiff } from './tiff/directory.js';
import { decodeTiff } from './tiff/tiff.js';
import { decodeTga, isTga } from './tga.js';

interface Format {
  /** Whether a file of these first bytes is one. */
  readonly accepts: (bytes: Buffer) => boolean;
  readonly decode: (bytes: Buffer, budget: Budget) => Promise<Frame[]>;
}

/** In the order in which Pillow asks. */
const FORMATS: readonly Format[] = [
  { accepts: isBmp, decode: decodeBmp },
  { accepts: isGif, decode: decodeGif },
  { accepts: isPng, decode: decodePng },
  { accepts: isTiff, decode: decodeTiff },
  { accepts: isNetpbm, decode: decodeNetpbm },
  { accepts: isIco, decode: decodeIco },
  { accepts: isDib, decode: decodeBmp },
];

/**
 * The frames of a picture file, as Pillow would read them, told by its first bytes. At least one; those of TIFF pages may differ in size.
 * Rejects with `PictureError` saying what is wrong with the file (`UnknownPictureError` for other formats), and with the signal's reason.
 */
export async function decodePicture(bytes: Buffer, signal?: AbortSignal): Promise<Frame[]> {
  const budget = new Budget(signal);
  const format = FORMATS.find(({ accepts }) => accepts(bytes));
  if (format !== undefined) return format.decode(bytes, budget);
  try {
    return await decodeRaster(bytes, budget);
  } catch (error) {
    // TGA has no first bytes of its own, so it comes last.
    if (error instanceof UnknownPictureError && isTga(bytes)) return decodeTga(bytes, budget);
    throw error;
  }
}
