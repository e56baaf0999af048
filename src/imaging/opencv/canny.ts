/** OpenCV's Canny (modules/imgproc/src/canny.cpp) with an aperture of 3 and the sum of both gradients as their size. */
import type { BytePicture } from '../bytes.js';

/** tan(22.5°) in 15 bits. */
const TAN_22 = 13573;

/** 255 on edges of a picture of any number of channels, of which the one with the steepest change counts. Thresholds are whole. */
export function cannyBytes(picture: BytePicture, low: number, high: number): BytePicture {
  const { width, height } = picture;
  const { dx, dy } = gradients(picture);
  const [least, most] = low > high ? [high, low] : [low, high];
  // A frame of zeros around sizes and marks.
  const line = width + 2;
  const sizes = new Int32Array(line * (height + 2));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      sizes[(y + 1) * line + x + 1] = Math.abs(dx[at]!) + Math.abs(dy[at]!);
    }
  }
  const marks = new Uint8Array(sizes.length);
  const edges: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y + 1) * line + x + 1;
      const size = sizes[at]!;
      if (size <= least || !isRidge(sizes, at, line, dx[y * width + x]!, dy[y * width + x]!)) continue;
      marks[at] = size > most ? 2 : 1;
      if (size > most) edges.push(at);
    }
  }
  // What may be an edge is one where it touches one.
  for (let at = edges.pop(); at !== undefined; at = edges.pop()) {
    for (let side = -1; side <= 1; side++) {
      for (let step = -1; step <= 1; step++) {
        const next = at + side * line + step;
        if (marks[next] !== 1) continue;
        marks[next] = 2;
        edges.push(next);
      }
    }
  }
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data[y * width + x] = marks[(y + 1) * line + x + 1] === 2 ? 255 : 0;
  }
  return { width, height, channels: 1, data };
}

/** Whether no neighbour across the edge is steeper. */
function isRidge(sizes: Int32Array, at: number, line: number, dx: number, dy: number): boolean {
  const size = sizes[at]!;
  const across = Math.abs(dx) * TAN_22;
  const down = Math.abs(dy) * 32768;
  if (down < across) return size > sizes[at - 1]! && size >= sizes[at + 1]!;
  if (down > across + Math.abs(dx) * 65536) return size > sizes[at - line]! && size >= sizes[at + line]!;
  const slant = (dx ^ dy) < 0 ? -1 : 1;
  return size > sizes[at - line - slant]! && size > sizes[at + line + slant]!;
}

/** Sobel's gradients, edges of the picture repeated, of each pixel's steepest channel. */
function gradients({ data, width, height, channels }: BytePicture) {
  const [dx, dy] = [new Int16Array(width * height), new Int16Array(width * height)];
  const line = width * channels;
  for (let y = 0; y < height; y++) {
    const [above, here, below] = [Math.max(y - 1, 0) * line, y * line, Math.min(y + 1, height - 1) * line];
    for (let x = 0; x < width; x++) {
      const left = Math.max(x - 1, 0) * channels;
      const middle = x * channels;
      const right = Math.min(x + 1, width - 1) * channels;
      let steepest = -1;
      for (let c = 0; c < channels; c++) {
        const [nw, ne] = [data[above + left + c]!, data[above + right + c]!];
        const [sw, se] = [data[below + left + c]!, data[below + right + c]!];
        const gx = ne - nw + 2 * (data[here + right + c]! - data[here + left + c]!) + se - sw;
        const gy = sw - nw + 2 * (data[below + middle + c]! - data[above + middle + c]!) + se - ne;
        const size = Math.abs(gx) + Math.abs(gy);
        if (size <= steepest) continue;
        steepest = size;
        dx[y * width + x] = gx;
        dy[y * width + x] = gy;
      }
    }
  }
  return { dx, dy };
}
