/** Blurred, reduced and recoloured pictures (comfyui_controlnet_aux src/custom_controlnet_aux: tile, color, recolor). */
import type { BytePicture } from '../bytes.js';
import { brightest, lightness } from '../opencv/colours.js';
import { pyramidUp } from '../opencv/pyramid.js';
import { resizeArea } from '../opencv/resize.js';
import { resizeBytes } from '../opencv/resize-taps.js';
import { roundHalfEven } from '../rounding.js';
import { mapBytes } from './hint-size.js';

/** Reduced by 2 to the power of `steps` and doubled as often. Throws `RangeError` for pictures too small for that. */
export function tile(picture: BytePicture, steps: number): BytePicture {
  const [height, width] = [picture.height, picture.width].map((extent) =>
    Math.floor((roundHalfEven(extent / 64) * 64) / 2 ** steps),
  ) as [number, number];
  if (height === 0 || width === 0) {
    throw new RangeError(
      `a tile hint of ${picture.width}×${picture.height} pixels reduced ${steps} times has none left`,
    );
  }
  let result = resizeArea(picture, height, width);
  for (let step = 0; step < steps; step++) result = pyramidUp(result);
  return result;
}

/** Squares of 64 pixels of one colour, the shorter side `resolution` long. */
export function palette(source: BytePicture, resolution: number): BytePicture {
  const isWide = source.height < source.width;
  const height = isWide ? resolution : roundHalfEven((source.height / source.width) * resolution);
  const width = isWide ? roundHalfEven((source.width / source.height) * resolution) : resolution;
  const picture = resizeArea(source, height, width);
  const [rows, columns] = [Math.floor(height / 64), Math.floor(width / 64)];
  const small = resizeBytes(picture, 'cubic', rows, columns);
  const data = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    // OpenCV's nearest pixel: the place times the inverse of the growth, cut off.
    const from = Math.min(Math.floor(y * (1 / (height / rows))), rows - 1) * columns;
    for (let x = 0; x < width; x++) {
      const at = 3 * (from + Math.min(Math.floor(x * (1 / (width / columns))), columns - 1));
      data.set(small.data.subarray(at, at + 3), 3 * (y * width + x));
    }
  }
  return { width, height, channels: 3, data };
}

/** Lightness (of blue and red exchanged, as the reference has it) or the brightest channel, to the power of `gamma`. */
export function recoloured(picture: BytePicture, of: 'luminance' | 'intensity', gamma: number): BytePicture {
  const grey = of === 'luminance' ? lightness(picture) : brightest(picture);
  const curve = Uint8Array.from({ length: 256 }, (_, value) =>
    Math.fround(Math.fround(Math.fround(value / 255) ** Math.fround(gamma)) * 255),
  );
  return mapBytes(grey, (value) => curve[value]!);
}
