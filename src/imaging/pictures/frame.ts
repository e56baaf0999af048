/** A decoded picture, or one frame of an animated one. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Colours are those under transparent pixels too. */
  readonly rgba: Uint8Array;
  /**
   * Whether the file has transparency: `channel` for an alpha channel or transparent palette entries, `key` for one colour
   * declared transparent, which Pillow sees only when it is asked for an alpha channel.
   */
  readonly alpha: 'none' | 'channel' | 'key';
}

/** A picture file that can't be read. The message says what is wrong with it. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
}

/** Pillow's limit, against files that unfold to more than memory (Image.MAX_IMAGE_PIXELS · 2). */
export const MAX_PIXELS = 178_956_970;
