/** The part of a picture that is drawn anew when only what is masked is inpainted (AUTOMATIC1111 modules/masking.py). */
import type { Tensor } from '../../compute/tensor.js';
import type { Rectangle } from '../planes.js';

/** Around all that isn't black in a mask, 1×H×W, with `padding` pixels; undefined where all of it is. */
export function maskedRegion(mask: Tensor, padding: number): Rectangle | undefined {
  const [, height = 0, width = 0] = mask.shape;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask.data[y * width + x] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = y + 1;
    }
  }
  if (right === 0) return undefined;
  const [x, y] = [Math.max(left - padding, 0), Math.max(top - padding, 0)];
  return {
    x,
    y,
    width: Math.min(right + padding, width) - x,
    height: Math.min(bottom + padding, height) - y,
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Grown to the aspect ratio of what will be drawn, as far as the picture reaches. */
export function expandRegion(region: Rectangle, drawn: Size, picture: Size): Rectangle {
  const ratio = drawn.width / drawn.height;
  if (region.width / region.height > ratio) {
    const [y, height] = grow(region.y, region.height, Math.trunc(region.width / ratio), picture.height);
    return { ...region, y, height };
  }
  const [x, width] = grow(region.x, region.width, Math.trunc(region.height * ratio), picture.width);
  return { ...region, x, width };
}

/** A length that grows on both sides alike, and is moved where it reaches out of the picture. */
function grow(start: number, length: number, wanted: number, limit: number): [number, number] {
  const more = wanted - length;
  let from = start - Math.floor(more / 2);
  let to = from + wanted;
  if (to >= limit) {
    from -= to - limit;
    to = limit;
  }
  if (from < 0) {
    to -= from;
    from = 0;
  }
  return [from, Math.min(to, limit) - from];
}
