/** A decoded picture, or one frame of an animated one. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /**
   * Red, green, blue and alpha of each pixel, row by row: bytes, or numbers in [0, 1] where the file has more than 8 bits a channel (HDR
   * files may go beyond 1). Colours are those under transparent pixels too.
   */
  readonly rgba: Uint8Array | Float32Array;
  /**
   * Whether the file has transparency: `channel` for an alpha channel, transparent palette entries or a transparent colour; `key` for a
   * transparent shade of a picture of one bit, which ComfyUI sees only when it is asked for an alpha channel.
   */
  readonly alpha: 'none' | 'channel' | 'key';
}

/** A picture file that can't be read. The message says what is wrong with it. */
export class PictureError extends Error {
  override readonly name: string = 'PictureError';
}

/** What is read without another program. */
export const PICTURE_FORMATS = 'PNG, APNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, ICO, TGA, PBM, PGM, PPM';

/** A file of none of the formats in `PICTURE_FORMATS`. */
export class UnknownPictureError extends PictureError {
  override readonly name: string = 'UnknownPictureError';

  constructor() {
    super(`it is in none of the formats that are read: ${PICTURE_FORMATS}`);
  }
}

/** Pillow's limit for one picture, against files that unfold to more than memory (Image.MAX_IMAGE_PIXELS · 2); here it holds for all frames together. */
export const MAX_PIXELS = 178_956_970;
