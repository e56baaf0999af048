import type { Shape } from './dim.js';

export type DType = 'float32' | 'int32';

/** A tensor in a graph. */
export interface Value {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Padding in pixels: top, left, bottom, right (ONNX's order). */
export type Padding = readonly [top: number, left: number, bottom: number, right: number];
