/** OpenCV's pyrUp of 8-bit pictures (modules/imgproc/src/pyramids.cpp). */
import type { BytePicture } from '../bytes.js';

/** Twice as high and wide. */
export function pyramidUp(picture: BytePicture): BytePicture {
  const { width, height, channels, data } = picture;
  const rows = doubled(data, height, width, channels);
  // Columns are rows of whole lines.
  const both = doubled(rows, 1, height, 2 * width * channels);
  return {
    width: 2 * width,
    height: 2 * height,
    channels,
    data: Uint8Array.from(both, (sum) => (sum + 32) >> 6),
  };
}

/** Each line of `extent` places of `inner` values twice as long: 1 6 1 at a place, 4 4 between two. */
function doubled(source: ArrayLike<number>, lines: number, extent: number, inner: number): Int32Array {
  const result = new Int32Array(2 * source.length);
  for (let line = 0; line < lines; line++) {
    const start = line * extent * inner;
    for (let at = 0; at < extent; at++) {
      const [before, after] = [at === 0 ? Math.min(1, extent - 1) : at - 1, Math.min(at + 1, extent - 1)];
      for (let i = 0; i < inner; i++) {
        const here = source[start + at * inner + i]!;
        const next = source[start + after * inner + i]!;
        const into = 2 * start + 2 * at * inner + i;
        result[into] = source[start + before * inner + i]! + 6 * here + next;
        result[into + inner] = 4 * (here + next);
      }
    }
  }
  return result;
}
