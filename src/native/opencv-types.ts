/**
 * Pictures as OpenCV 4 works on them: rows of interleaved channels (at most 4), values 0 to 255. With `bytes` they hold whole
 * numbers and are computed in fixed point, as OpenCV computes 8-bit ones. Extents are whole numbers from 1 to 2^20. Every function
 * throws `RangeError` when an array's length or an extent doesn't fit, and `TypeError` for an argument of another type.
 */

/** `cv::resize` with `INTER_LINEAR`; the scales are pixels of the source for one of the result. */
export type ResizeLinear = (
  values: Float32Array,
  channels: number,
  height: number,
  width: number,
  bytes: boolean,
  toHeight: number,
  toWidth: number,
  scaleY: number,
  scaleX: number,
) => Float32Array;

/**
 * `cv::warpAffine` with `INTER_LINEAR` and `BORDER_CONSTANT`: `matrix`, two rows of three, leads from the source to the result;
 * `border` has one value a channel.
 */
export type WarpAffine = (
  values: Float32Array,
  channels: number,
  height: number,
  width: number,
  bytes: boolean,
  toHeight: number,
  toWidth: number,
  matrix: Float64Array,
  border: Float32Array,
) => Float32Array;

/**
 * Puts a `size` × `size` × 3 face of whole numbers behind a soft mask into `picture`, `height` × `width` × 3, in place. `parsed`,
 * `size` × `size`, is 255 where a parsing network sees the face and else 0; `matrix` leads from the face to the picture.
 */
export type PasteFace = (
  picture: Float64Array,
  height: number,
  width: number,
  face: Float32Array,
  size: number,
  parsed: Float64Array,
  matrix: Float64Array,
) => void;
