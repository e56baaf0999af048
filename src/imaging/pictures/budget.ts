/** What a file may cost: pixels of all frames together, and time. */
import { setImmediate } from 'node:timers/promises';
import { MAX_PIXELS, PictureError } from './frame.js';

const SECONDS = 120;

export class Budget {
  private pixels = MAX_PIXELS;
  private readonly deadline = performance.now() + SECONDS * 1000;

  constructor(private readonly signal?: AbortSignal) {}

  /** Throws `PictureError` where so many pixels are to come that there will be too many. */
  foresee(pixels: number): void {
    if (pixels > this.pixels)
      throw new PictureError(`its frames have more than ${MAX_PIXELS} pixels together`);
  }

  /**
   * Before a frame's pixels are held. Others get their turn meanwhile, so that signals are heard between frames. Rejects with
   * `PictureError` when it would be too much, and with the signal's reason.
   */
  async spend(width: number, height: number): Promise<void> {
    if (width < 1 || height < 1) throw new PictureError(`its size is ${width}×${height} pixels`);
    this.pixels -= width * height;
    if (this.pixels < 0) {
      throw new PictureError(
        `its frames have more than ${MAX_PIXELS} pixels together (one of them is ${width}×${height})`,
      );
    }
    await setImmediate();
    this.signal?.throwIfAborted();
    if (performance.now() > this.deadline)
      throw new PictureError(`it takes more than ${SECONDS} s to decode`);
  }
}
