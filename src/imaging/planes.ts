/**
 * Rows and columns of latents (N×C×h×w), images (N×H×W×C) and masks (N×H×W) alike: each is `outer` pictures of
 * `height` × `width` places with `inner` neighbouring values.
 */
import { tensor, type Tensor } from '../compute/tensor.js';

export interface Planes {
  readonly outer: number;
  readonly height: number;
  readonly width: number;
  readonly inner: number;
}

export interface Rectangle {
  readonly y: number;
  readonly x: number;
  readonly height: number;
  readonly width: number;
}

/** Which axis holds the rows; the columns follow it. */
export type RowAxis = 1 | 2 | 3;

/** 2 for latents. */
export const LATENT_ROWS: RowAxis = 2;
/** 1 for images and masks. */
export const IMAGE_ROWS: RowAxis = 1;

export function planesOf(value: Tensor, rowAxis: RowAxis): Planes {
  const product = (extents: readonly number[]) => extents.reduce((a, b) => a * b, 1);
  const height = value.shape[rowAxis];
  const width = value.shape[rowAxis + 1];
  if (height === undefined || width === undefined) {
    throw new RangeError(`[${value.shape.join(', ')}] has no rows and columns`);
  }
  return {
    outer: product(value.shape.slice(0, rowAxis)),
    height,
    width,
    inner: product(value.shape.slice(rowAxis + 2)),
  };
}

/** The part of `value` inside a rectangle, itself cut to the picture. */
export function crop(value: Tensor, rowAxis: RowAxis, rectangle: Rectangle): Tensor {
  const { outer, height, width, inner } = planesOf(value, rowAxis);
  const y = clamp(rectangle.y, 0, height);
  const x = clamp(rectangle.x, 0, width);
  const rows = clamp(rectangle.y + rectangle.height, y, height) - y;
  const columns = clamp(rectangle.x + rectangle.width, x, width) - x;
  const result = emptyLike(value, rowAxis, rows, columns);
  const line = columns * inner;
  for (let row = 0; row < outer * rows; row++) {
    const plane = Math.floor(row / rows);
    const from = ((plane * height + y + (row % rows)) * width + x) * inner;
    result.data.set(value.data.subarray(from, from + line), row * line);
  }
  return result;
}

/** The part of latents N×C×h×w, or of films' N×C×F×h×w, inside a rectangle, itself cut to the picture. */
export function cropLatent(value: Tensor, rectangle: Rectangle): Tensor {
  return crop(value, value.shape.length === 5 ? 3 : LATENT_ROWS, rectangle);
}

/** A copy of `value` with `patch` laid over it, its top left corner at (y, x); what sticks out is left off. Throws `RangeError` when they differ in more than rows and columns. */
export function paste(value: Tensor, patch: Tensor, rowAxis: RowAxis, y: number, x: number): Tensor {
  const target = planesOf(value, rowAxis);
  const source = planesOf(patch, rowAxis);
  if (source.outer !== target.outer || source.inner !== target.inner) {
    throw new RangeError(`can't lay [${patch.shape.join(', ')}] over [${value.shape.join(', ')}]`);
  }
  const result = tensor(value.shape, value.data.slice());
  const line = Math.min(source.width, target.width - x) * source.inner;
  const rows = Math.min(source.height, target.height - y);
  if (line <= 0) return result;
  for (let plane = 0; plane < source.outer; plane++) {
    for (let row = 0; row < rows; row++) {
      const from = (plane * source.height + row) * source.width * source.inner;
      const to = ((plane * target.height + y + row) * target.width + x) * target.inner;
      result.data.set(patch.data.subarray(from, from + line), to);
    }
  }
  return result;
}

/** Upside down. */
export function flipRows(value: Tensor, rowAxis: RowAxis): Tensor {
  const { height, width } = planesOf(value, rowAxis);
  return rearrange(value, rowAxis, height, width, (y, x) => [height - 1 - y, x]);
}

/** Left to right. */
export function flipColumns(value: Tensor, rowAxis: RowAxis): Tensor {
  const { height, width } = planesOf(value, rowAxis);
  return rearrange(value, rowAxis, height, width, (y, x) => [y, width - 1 - x]);
}

/** Turns by quarters, clockwise. */
export function rotate(value: Tensor, rowAxis: RowAxis, quarters: 0 | 1 | 2 | 3): Tensor {
  const { height, width } = planesOf(value, rowAxis);
  switch (quarters) {
    case 0:
      return value;
    case 1:
      return rearrange(value, rowAxis, width, height, (y, x) => [height - 1 - x, y]);
    case 2:
      return rearrange(value, rowAxis, height, width, (y, x) => [height - 1 - y, width - 1 - x]);
    case 3:
      return rearrange(value, rowAxis, width, height, (y, x) => [x, width - 1 - y]);
  }
}

/** A new `height` × `width` picture whose place (y, x) comes from `source(y, x)`. */
function rearrange(
  value: Tensor,
  rowAxis: RowAxis,
  height: number,
  width: number,
  source: (y: number, x: number) => readonly [number, number],
): Tensor {
  const from = planesOf(value, rowAxis);
  const { outer, inner } = from;
  const result = emptyLike(value, rowAxis, height, width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [sourceY, sourceX] = source(y, x);
      for (let plane = 0; plane < outer; plane++) {
        const start = ((plane * from.height + sourceY) * from.width + sourceX) * inner;
        const into = ((plane * height + y) * width + x) * inner;
        for (let i = 0; i < inner; i++) result.data[into + i] = value.data[start + i]!;
      }
    }
  }
  return result;
}

function emptyLike(value: Tensor, rowAxis: RowAxis, height: number, width: number): Tensor {
  return tensor([...value.shape.slice(0, rowAxis), height, width, ...value.shape.slice(rowAxis + 2)]);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
