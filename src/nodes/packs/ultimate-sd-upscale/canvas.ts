/** Pictures of whole bytes that are repainted tile by tile, and the grey masks by which tiles are laid in. */
import {
  crop,
  IMAGE_ROWS,
  pillowGaussianBlur,
  pillowResize,
  tensor,
  type Image,
  type Tensor,
} from '../../public.js';

/** Left, top, right and bottom in pixels; the last two lie outside. Python packs' `(x1, y1, x2, y2)`. */
export type Region = readonly [x1: number, y1: number, x2: number, y2: number];

/** Width and height in pixels. */
export type Size = readonly [width: number, height: number];

/** A part of a grey picture as large as the canvas, which is black elsewhere. */
export interface PlacedMask {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export function sizeOf({ shape: [, height = 0, width = 0] }: Image): Size {
  return [width, height];
}

/** Colours as bytes, cut off rather than rounded, and back to N×H×W×3 in [0, 1]; not-a-numbers are black. */
export function wholeBytes(image: Image): Image {
  const bytes = image.data.map((value) => {
    const byte = Math.trunc(Math.fround(255 * value));
    return Number.isNaN(byte) ? 0 : Math.min(Math.max(byte, 0), 255) / 255;
  });
  return tensor(image.shape, bytes);
}

/** Pillow's `crop`, of a region inside of the picture. */
export function cropRegion(image: Tensor, [x1, y1, x2, y2]: Region): Tensor {
  return crop(image, IMAGE_ROWS, { x: x1, y: y1, width: x2 - x1, height: y2 - y1 });
}

/** Pillow's `resize` with LANCZOS. */
export function resized(image: Image, [width, height]: Size): Image {
  const [ownWidth, ownHeight] = sizeOf(image);
  if (ownWidth === width && ownHeight === height) return image;
  return pillowResize(image, 'LANCZOS', height, width);
}

/** A white rectangle, its last row and column included, as Pillow draws it; cut to the canvas. */
export function whiteRectangle([x1, y1, x2, y2]: Region, [width, height]: Size): PlacedMask {
  const size = { width: Math.min(x2 + 1, width) - x1, height: Math.min(y2 + 1, height) - y1 };
  return {
    x: x1,
    y: y1,
    ...size,
    data: new Uint8Array(Math.max(size.width, 0) * Math.max(size.height, 0)).fill(255),
  };
}

/** A grey picture laid on a black canvas; what sticks out is left off. */
export function placed(
  { width, height, data }: Omit<PlacedMask, 'x' | 'y'>,
  x: number,
  y: number,
  [canvasWidth, canvasHeight]: Size,
): PlacedMask {
  const [left, top] = [Math.max(x, 0), Math.max(y, 0)];
  const columns = Math.max(Math.min(x + width, canvasWidth) - left, 0);
  const rows = Math.max(Math.min(y + height, canvasHeight) - top, 0);
  const part = new Uint8Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    const from = (top - y + row) * width + (left - x);
    part.set(data.subarray(from, from + columns), row * columns);
  }
  return { x: left, y: top, width: columns, height: rows, data: part };
}

/** The smallest rectangle with all that isn't black; undefined where all is. Pillow's `getbbox`. */
export function boundsOf({ x, y, width, height, data }: PlacedMask): Region | undefined {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (data[row * width + column] === 0) continue;
      left = Math.min(left, column);
      right = Math.max(right, column + 1);
      top = Math.min(top, row);
      bottom = row + 1;
    }
  }
  return right === 0 ? undefined : [x + left, y + top, x + right, y + bottom];
}

/** Pillow's GaussianBlur of the whole canvas. Only what the blur reaches is computed. */
export function blurred(mask: PlacedMask, radius: number, canvas: Size): PlacedMask {
  if (radius <= 0) return mask;
  // Three boxes, each a little wider than the radius.
  const reach = 3 * (Math.ceil(radius) + 2);
  const left = Math.max(mask.x - reach, 0);
  const top = Math.max(mask.y - reach, 0);
  const width = Math.min(mask.x + mask.width + reach, canvas[0]) - left;
  const height = Math.min(mask.y + mask.height + reach, canvas[1]) - top;
  const window = new Uint8Array(width * height);
  for (let row = 0; row < mask.height; row++) {
    const line = mask.data.subarray(row * mask.width, (row + 1) * mask.width);
    window.set(line, (mask.y - top + row) * width + mask.x - left);
  }
  return { x: left, y: top, width, height, data: pillowGaussianBlur(window, width, height, radius) };
}

/**
 * Lays one picture of `tiles` over the same one of `canvas` at a place, as far as the mask says; writes into `canvas`. Pillow's
 * `alpha_composite` on an opaque picture (libImaging/AlphaComposite.c).
 */
export function layOver(
  canvas: Tensor,
  index: number,
  tile: Image,
  tileIndex: number,
  at: readonly [x: number, y: number],
  mask: PlacedMask,
): void {
  const [canvasWidth, canvasHeight] = sizeOf(canvas);
  const [tileWidth, tileHeight] = sizeOf(tile);
  const x1 = Math.max(at[0], mask.x);
  const y1 = Math.max(at[1], mask.y);
  const x2 = Math.min(at[0] + tileWidth, mask.x + mask.width, canvasWidth);
  const y2 = Math.min(at[1] + tileHeight, mask.y + mask.height, canvasHeight);
  for (let y = y1; y < y2; y++) {
    for (let x = x1; x < x2; x++) {
      const alpha = mask.data[(y - mask.y) * mask.width + x - mask.x]!;
      if (alpha === 0) continue;
      const from = ((tileIndex * tileHeight + y - at[1]) * tileWidth + x - at[0]) * 3;
      const to = ((index * canvasHeight + y) * canvasWidth + x) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const source = Math.round(tile.data[from + channel]! * 255);
        const below = Math.round(canvas.data[to + channel]! * 255);
        // Seven bits behind the point.
        const sum = source * alpha * 128 + below * (255 - alpha) * 128 + 16384;
        canvas.data[to + channel] = (((sum >>> 8) + sum) >>> 15) / 255;
      }
    }
  }
}
