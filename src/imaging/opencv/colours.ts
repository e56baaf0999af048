/** OpenCV's cvtColor of 8-bit pictures with three channels, to one (modules/imgproc/src/color_*.cpp). */
import type { BytePicture } from '../bytes.js';
import { roundHalfEven } from '../rounding.js';

function eachPixel(
  picture: BytePicture,
  of: (first: number, second: number, third: number) => number,
): BytePicture {
  const { width, height, data } = picture;
  const result = new Uint8Array(width * height);
  for (let pixel = 0; pixel < result.length; pixel++) {
    result[pixel] = of(data[pixel * 3]!, data[pixel * 3 + 1]!, data[pixel * 3 + 2]!);
  }
  return { width, height, channels: 1, data: result };
}

/** COLOR_RGB2GRAY. */
export function greyBytes(picture: BytePicture): BytePicture {
  return eachPixel(picture, (red, green, blue) => (9798 * red + 19235 * green + 3735 * blue + 16384) >> 15);
}

/** COLOR_RGB2HSV's third channel. */
export function brightest(picture: BytePicture): BytePicture {
  return eachPixel(picture, Math.max);
}

/** 255·8 times the linear light of each value of sRGB. */
const LINEAR = Uint16Array.from({ length: 256 }, (_, value) => {
  const x = value / 255;
  return roundHalfEven(255 * 8 * (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
});

/** 2^15 times the cube root that CIE Lab has for light, by 255·8 of it. */
const ROOTS = Uint16Array.from({ length: (256 * 3 * 8) / 2 }, (_, light) => {
  const x = light / (255 * 8);
  return roundHalfEven(32768 * (x < 0.008856 ? x * 7.787 + 0.13793103448275862 : Math.cbrt(x)));
});

/** COLOR_BGR2LAB's first channel: lightness, of blue, green, red. */
export function lightness(picture: BytePicture): BytePicture {
  const factor = Math.trunc((116 * 255 + 50) / 100);
  const below = -Math.trunc((16 * 255 * 32768 + 50) / 100);
  return eachPixel(picture, (blue, green, red) => {
    const light = (871 * LINEAR[red]! + 2929 * LINEAR[green]! + 296 * LINEAR[blue]! + 2048) >> 12;
    return Math.min(Math.max((factor * ROOTS[light]! + below + 16384) >> 15, 0), 255);
  });
}

/** THRESH_OTSU: the level that parts grey pixels best. */
export function otsuLevel({ data }: BytePicture): number {
  const counts = new Float64Array(256);
  for (const value of data) counts[value]!++;
  const share = 1 / data.length;
  let mean = 0;
  counts.forEach((count, value) => (mean += value * count));
  mean *= share;
  let [below, meanBelow, most, level] = [0, 0, 0, 0];
  for (let value = 0; value < 256; value++) {
    const part = counts[value]! * share;
    meanBelow *= below;
    below += part;
    const above = 1 - below;
    if (Math.min(below, above) < 2 ** -23 || Math.max(below, above) > 1 - 2 ** -23) continue;
    meanBelow = (meanBelow + value * part) / below;
    const meanAbove = (mean - below * meanBelow) / above;
    const spread = below * above * (meanBelow - meanAbove) ** 2;
    if (spread > most) [most, level] = [spread, value];
  }
  return level;
}
