/** The size at which preprocessors look at pictures (comfyui_controlnet_aux src/custom_controlnet_aux/util.py, HWC3 and resize_image_with_pad). */
import type { BytePicture } from '../bytes.js';
import { resizeWith } from '../opencv/resize.js';
import { roundHalfEven } from '../rounding.js';

/** A picture of three channels: grey thrice, transparency over white. */
export function threeChannels(picture: BytePicture): BytePicture {
  const { width, height, channels, data } = picture;
  if (channels === 3) return picture;
  const result = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const opaque = channels === 4 ? Math.fround(data[pixel * 4 + 3]! / 255) : 1;
    for (let c = 0; c < 3; c++) {
      const value = channels === 1 ? data[pixel]! : data[pixel * channels + c]!;
      result[pixel * 3 + c] = Math.fround(
        Math.fround(value * opaque) + Math.fround(255 * Math.fround(1 - opaque)),
      );
    }
  }
  return { width, height, channels: 3, data: result };
}

export interface SizedPicture {
  /** Three channels; sides are multiples of 64, its last row and column repeated beyond it. */
  readonly picture: BytePicture;
  /** Of a result as large as `picture`, what lies over the picture itself. */
  readonly withoutPadding: (result: BytePicture) => BytePicture;
}

/** A picture whose shorter side has `resolution` pixels. */
export function sized(
  source: BytePicture,
  resolution: number,
  enlarge: 'cubic' | 'area' = 'cubic',
): SizedPicture {
  const fitted = scaledTo(source, resolution, enlarge);
  const { width, height } = fitted;
  return {
    picture: padded(fitted, multipleOf64(height), multipleOf64(width)),
    withoutPadding: (result) => cut(result, height, width),
  };
}

/** The same without padding. */
export function scaledTo(
  source: BytePicture,
  resolution: number,
  enlarge: 'cubic' | 'area' = 'cubic',
): BytePicture {
  const picture = threeChannels(source);
  const factor = resolution / Math.min(picture.height, picture.width);
  const [height, width] = [picture.height, picture.width].map((extent) => roundHalfEven(extent * factor));
  return resizeWith(picture, enlarge, height!, width!, factor > 1);
}

function multipleOf64(extent: number): number {
  return Math.ceil(extent / 64) * 64;
}

function padded(picture: BytePicture, height: number, width: number): BytePicture {
  const { channels, data } = picture;
  if (height === picture.height && width === picture.width) return picture;
  const result = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const start = Math.min(y, picture.height - 1) * picture.width * channels;
    const into = y * width * channels;
    result.set(data.subarray(start, start + picture.width * channels), into);
    const last = start + (picture.width - 1) * channels;
    for (let x = picture.width; x < width; x++) {
      result.set(data.subarray(last, last + channels), into + x * channels);
    }
  }
  return { width, height, channels, data: result };
}

function cut(picture: BytePicture, height: number, width: number): BytePicture {
  const { channels, data } = picture;
  if (height === picture.height && width === picture.width) return picture;
  const result = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const start = y * picture.width * channels;
    result.set(data.subarray(start, start + width * channels), y * width * channels);
  }
  return { width, height, channels, data: result };
}

/** Each value by a function. */
export function mapBytes(picture: BytePicture, map: (value: number) => number): BytePicture {
  return { ...picture, data: picture.data.map(map) };
}

/** A grey picture of values, cut off to whole numbers of 0 to 255. */
export function greyOf(values: ArrayLike<number>, height: number, width: number): BytePicture {
  const data = new Uint8Array(height * width);
  for (let pixel = 0; pixel < data.length; pixel++) {
    const value = values[pixel]!;
    data[pixel] = value > 255 ? 255 : value > 0 ? value : 0;
  }
  return { width, height, channels: 1, data };
}
