/** Soft edges made into scribbles (comfyui_controlnet_aux src/custom_controlnet_aux/util.py, nms, and hed). */
import type { BytePicture } from '../bytes.js';
import { gaussianBlurBytes, gaussianBlurValues } from '../opencv/gaussian-blur.js';
import { mapBytes } from './hint-size.js';

/** Neighbours on either side along a row, a column and both diagonals. */
const DIRECTIONS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const;

/** Broad white strokes over the ridges of a grey picture of edges. */
export function scribbled(edges: BytePicture): BytePicture {
  const { width, height } = edges;
  const { data } = gaussianBlurValues({ ...edges, data: Float32Array.from(edges.data) }, 3);
  const at = (y: number, x: number) =>
    y < 0 || x < 0 || y >= height || x >= width ? -Infinity : data[y * width + x]!;
  const ridges = Uint8Array.from(data, (value, pixel) => {
    if (value <= 127) return 0;
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    const isRidge = DIRECTIONS.some(([dy, dx]) => value >= at(y - dy, x - dx) && value >= at(y + dy, x + dx));
    return isRidge ? 255 : 0;
  });
  return mapBytes(gaussianBlurBytes({ ...edges, data: ridges }, 3), (value) => (value > 4 ? 255 : 0));
}
