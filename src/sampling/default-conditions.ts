import { tensor, type Tensor } from '../compute/tensor.js';
import type { Influence } from './influence.js';

/**
 * What conditions that count leave to those that count by default, N×h×w of a latent of `shape`: 1 without theirs, 0 at the least; undefined
 * where nothing is left (ComfyUI comfy/samplers.py, finalize_default_conds).
 */
export function roomLeft(shape: readonly number[], influences: readonly Influence[]): Tensor | undefined {
  const [rows = 1] = shape;
  const [height = 1, width = 1] = shape.slice(-2);
  const left = tensor([rows, height, width]);
  left.data.fill(1);
  for (const { area, weights, constant } of influences) {
    const part = area ?? { y: 0, x: 0, height, width };
    const places = part.height * part.width;
    for (let row = 0; row < rows; row++) {
      const from = (row % (weights?.shape[0] ?? 1)) * places;
      for (let place = 0; place < places; place++) {
        const y = part.y + Math.floor(place / part.width);
        const x = part.x + (place % part.width);
        left.data[(row * height + y) * width + x]! -= weights?.data[from + place] ?? constant;
      }
    }
  }
  let isLeft = false;
  for (let index = 0; index < left.data.length; index++) {
    left.data[index] = Math.max(left.data[index]!, 0);
    isLeft ||= left.data[index]! > 0;
  }
  return isLeft ? left : undefined;
}
