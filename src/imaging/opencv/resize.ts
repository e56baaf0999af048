/** OpenCV's `resize` of 8-bit pictures. */
import type { BytePicture } from '../bytes.js';
import { shrinkArea } from './resize-area.js';
import { resizeBytes } from './resize-taps.js';

/** INTER_AREA, which is a mean for smaller pictures alone. */
export function resizeArea(picture: BytePicture, height: number, width: number): BytePicture {
  if (height === picture.height && width === picture.width) return picture;
  return height <= picture.height && width <= picture.width
    ? shrinkArea(picture, height, width)
    : resizeBytes(picture, 'area', height, width);
}

/** Smaller by INTER_AREA, larger by `enlarge`. */
export function resizeWith(
  picture: BytePicture,
  enlarge: 'cubic' | 'area',
  height: number,
  width: number,
  isLarger: boolean,
): BytePicture {
  if (height === picture.height && width === picture.width) return picture;
  return isLarger ? resizeBytes(picture, enlarge, height, width) : resizeArea(picture, height, width);
}
