/** Frames as bytes and as images. */
import { tensor, type Tensor } from '../compute/tensor.js';
import { packPixels, unpackPixels } from '../native/addon.js';
import type { RawFormat } from './nut.js';

/** What frames are decoded to; `gbrpf32le` is 32-bit green, blue and red, one plane after the other. */
export type FrameFormat = RawFormat | 'gbrpf32le';

/** A decoded frame: RGB or RGBA, row by row, channels interleaved unless the format says otherwise. */
export interface RawFrame<Format extends FrameFormat = RawFormat> {
  readonly width: number;
  readonly height: number;
  readonly format: Format;
  readonly bytes: Uint8Array;
}

const CHANNELS: Readonly<Record<FrameFormat, number>> = {
  rgb24: 3,
  rgb48le: 3,
  rgba: 4,
  rgba64le: 4,
  gbrpf32le: 3,
};
const DEPTH: Readonly<Record<FrameFormat, number>> = {
  rgb24: 1,
  rgb48le: 2,
  rgba: 1,
  rgba64le: 2,
  gbrpf32le: 4,
};

export function frameBytes(format: FrameFormat, width: number, height: number): number {
  return width * height * CHANNELS[format] * DEPTH[format];
}

/** 1×H×W×C in [0, 1]. */
export function toImage({ width, height, format, bytes }: RawFrame<FrameFormat>): Tensor {
  if (format === 'gbrpf32le') return tensor([1, height, width, 3], interleavedPlanes(bytes));
  return tensor([1, height, width, CHANNELS[format]], unpackPixels(valuesOf(format, bytes)));
}

function interleavedPlanes(bytes: Uint8Array): Float32Array {
  const planes = new Float32Array(bytes.slice().buffer);
  const count = planes.length / 3;
  const pixels = new Float32Array(planes.length);
  for (let i = 0; i < count; i++) {
    pixels[i * 3] = planes[count * 2 + i]!;
    pixels[i * 3 + 1] = planes[i]!;
    pixels[i * 3 + 2] = planes[count + i]!;
  }
  return pixels;
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
