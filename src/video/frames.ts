/** Frames as bytes and as images. */
import { tensor, type Tensor } from '../compute/tensor.js';
import { packPixels, unpackPixels } from '../native/addon.js';
import type { RawFormat } from './nut.js';

/** A decoded frame: RGB or RGBA, row by row, channels interleaved. */
export interface RawFrame {
  readonly width: number;
  readonly height: number;
  readonly format: RawFormat;
  readonly bytes: Uint8Array;
}

const CHANNELS: Readonly<Record<RawFormat, number>> = { rgb24: 3, rgb48le: 3, rgba: 4, rgba64le: 4 };
const DEPTH: Readonly<Record<RawFormat, number>> = { rgb24: 1, rgb48le: 2, rgba: 1, rgba64le: 2 };

export function frameBytes(format: RawFormat, width: number, height: number): number {
  return width * height * CHANNELS[format] * DEPTH[format];
}

/** 1×H×W×C in [0, 1]. */
export function toImage({ width, height, format, bytes }: RawFrame): Tensor {
  return tensor([1, height, width, CHANNELS[format]], unpackPixels(valuesOf(format, bytes)));
}

/**
 * Image `index` of N×H×W×C as bytes, values rounded and cut to [0, 1], NaN as 0. Both sides are made even by repeating the last column
 * and row, for pixel formats whose colours are of half the resolution.
 */
export function fromImage(image: Tensor, index: number, format: RawFormat): RawFrame {
  const [, rows, columns, channels] = image.shape as readonly [number, number, number, number];
  if (channels !== CHANNELS[format])
    throw new RangeError(`${format} needs ${CHANNELS[format]} channels, not ${channels}`);
  const [width, height] = [columns + (columns % 2), rows + (rows % 2)];
  const bytes = new Uint8Array(frameBytes(format, width, height));
  const into = valuesOf(format, bytes);
  const rowLength = columns * channels;
  const start = index * rows * rowLength;
  if (width === columns) {
    packPixels(image.data, start, into.subarray(0, rows * rowLength));
  } else {
    for (let y = 0; y < rows; y++) {
      const to = y * width * channels;
      packPixels(image.data, start + y * rowLength, into.subarray(to, to + rowLength));
      into.copyWithin(to + rowLength, to + rowLength - channels, to + rowLength);
    }
  }
  const stride = width * channels;
  if (height > rows) into.copyWithin(rows * stride, (rows - 1) * stride, rows * stride);
  return { width, height, format, bytes };
}

function valuesOf(format: RawFormat, bytes: Uint8Array): Uint8Array | Uint16Array {
  return DEPTH[format] === 1 ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}
