/** Frames of a film gathered into an image batch. */
import { availableMemory } from '../../models/programs/available-memory.js';
import { VideoError } from '../../video/video-error.js';

/** Kept free of frames. */
const RESERVED_BYTES = 2 ** 27;

/** Frames one after the other in one array, as long as there is memory. */
export class FrameBatch {
  count = 0;
  private data: Float32Array;
  private readonly limit: number;

  constructor(
    private readonly length: number,
    expected: number,
    private readonly advice: string,
  ) {
    this.limit = Math.max(1, Math.floor((availableMemory() - RESERVED_BYTES) / (length * 4)));
    this.data = new Float32Array(Math.min(Math.max(expected, 1), this.limit) * length);
  }

  add(frame: Float32Array): void {
    if (this.count >= this.limit) {
      throw new VideoError(
        `there is memory for ${this.limit} frames of this size, and the film has more: ${this.advice}, or enlarge whole films with \`latentd upscale\``,
      );
    }
    if ((this.count + 1) * this.length > this.data.length) {
      const larger = new Float32Array(Math.min(Math.ceil(this.count * 1.5) + 1, this.limit) * this.length);
      larger.set(this.data);
      this.data = larger;
    }
    this.data.set(frame, this.count++ * this.length);
  }

  values(): Float32Array {
    return this.data.subarray(0, this.count * this.length);
  }
}
