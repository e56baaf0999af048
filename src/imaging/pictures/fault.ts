/** Damage in a file, and how far ComfyUI reads on in spite of it. */
import { PictureError } from './frame.js';

/** `again`: ComfyUI tries a second time, taking what there is of a file that is cut off (node_helpers.py, pillow). */
export class PictureFault extends PictureError {
  constructor(
    message: string,
    readonly again: boolean,
  ) {
    super(message);
  }
}

/** A fault of which a second reading may make something. */
export const cutOff = (message: string): PictureFault => new PictureFault(message, true);

/** A fault that ends all reading. */
export const broken = (message: string): PictureFault => new PictureFault(message, false);

/** Reads strictly, then, where that helps, leniently. */
export function readTwice<Result>(read: (lenient: boolean) => Result): Result {
  try {
    return read(false);
  } catch (error) {
    if (!(error instanceof PictureFault && error.again)) throw error;
    return read(true);
  }
}

/** The same for opening a file, where ComfyUI tries again whatever the fault. */
export function openTwice<Result>(open: (lenient: boolean) => Result): Result {
  try {
    return open(false);
  } catch (error) {
    if (!(error instanceof PictureFault)) throw error;
    return open(true);
  }
}
