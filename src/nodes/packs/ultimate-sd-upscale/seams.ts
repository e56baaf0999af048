/** The grey gradients by which seams between tiles are repainted: brightest where the seam is. */
import { pillowResize, tensor, type Tensor } from '../../public.js';
import type { PlacedMask, Size } from './canvas.js';

export type Gradient = Omit<PlacedMask, 'x' | 'y'>;

const SIDE = 256;

/** Pillow's `linear_gradient("L")`: black above, white below. */
const linear = greyOf(SIDE, SIDE, (_, y) => y);
const upsideDown = greyOf(SIDE, SIDE, (_, y) => SIDE - 1 - y);
/** Turned by a quarter, against the clock and with it. */
const toTheRight = greyOf(SIDE, SIDE, (x) => x);
const toTheLeft = greyOf(SIDE, SIDE, (x) => SIDE - 1 - x);

/** Pillow's `radial_gradient("L")`, inverted: white in the middle (libImaging/Fill.c). */
const radial = greyOf(SIDE, SIDE, (x, y) => {
  const distance = Math.trunc(Math.sqrt(((x - 128) ** 2 + (y - 128) ** 2) * 2));
  return 255 - Math.min(distance, 255);
});

/** White along the middle row. Halves are whole pixels, so that an odd height leaves a black row below. */
export function rowGradient([width, height]: Size): Gradient {
  const half = Math.floor(height / 2);
  return joined(
    [width, height],
    [
      { part: fitted(linear, width, half), x: 0, y: 0 },
      { part: fitted(upsideDown, width, half), x: 0, y: half },
    ],
  );
}

/** White along the middle column. */
export function columnGradient([width, height]: Size): Gradient {
  const half = Math.floor(width / 2);
  return joined(
    [width, height],
    [
      { part: fitted(toTheRight, half, height), x: 0, y: 0 },
      { part: fitted(toTheLeft, half, height), x: half, y: 0 },
    ],
  );
}

export function cornerGradient([width, height]: Size): Gradient {
  return bytesOf(fitted(radial, width, height));
}

/** As wide as the canvas, white along its middle row; made of a square one (USDUSeamsFix.band_pass_process). */
export function rowBand(width: number, thickness: number): Gradient {
  return bytesOf(fitted(greyTensor(mirrored), width, thickness));
}

/** As high as the canvas, white along its middle column. */
export function columnBand(height: number, thickness: number): Gradient {
  // The square turned by a quarter against the clock.
  const { data } = mirrored;
  const turned = greyOf(SIDE, SIDE, (x, y) => data[x * SIDE + (SIDE - 1 - y)]!);
  return bytesOf(fitted(turned, thickness, height));
}

const mirrored = rowGradient([SIDE, SIDE]);

function greyOf(width: number, height: number, value: (x: number, y: number) => number): Tensor {
  const grey = tensor([1, height, width, 1]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) grey.data[y * width + x] = value(x, y) / 255;
  }
  return grey;
}

function greyTensor({ width, height, data }: Gradient): Tensor {
  return greyOf(width, height, (x, y) => data[y * width + x]!);
}

function fitted(grey: Tensor, width: number, height: number): Tensor {
  return pillowResize(grey, 'BICUBIC', height, width);
}

function bytesOf({ shape: [, height = 0, width = 0], data }: Tensor): Gradient {
  return { width, height, data: Uint8Array.from(data, (value) => Math.round(value * 255)) };
}

function joined(
  [width, height]: Size,
  parts: readonly { readonly part: Tensor; readonly x: number; readonly y: number }[],
): Gradient {
  const data = new Uint8Array(width * height);
  for (const { part, x, y } of parts) {
    const bytes = bytesOf(part);
    for (let row = 0; row < bytes.height; row++) {
      data.set(bytes.data.subarray(row * bytes.width, (row + 1) * bytes.width), (y + row) * width + x);
    }
  }
  return { width, height, data };
}
