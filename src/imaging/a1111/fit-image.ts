/** Bringing a picture to a size (AUTOMATIC1111 modules/images.py, resize_image). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { crop, IMAGE_ROWS } from '../planes.js';
import { upscaleImage } from '../upscale.js';

/** Stretched, cut, or with its edges drawn out: A1111's `resize_mode`. */
export type FitMode = 'stretch' | 'crop' | 'fill';

/** `image` is N×H×W×C. */
export function fitImage(image: Tensor, mode: FitMode, width: number, height: number): Tensor {
  const [, ownHeight = 1, ownWidth = 1] = image.shape;
  if (mode === 'stretch') return upscaleImage(image, 'lanczos', { width, height });
  const isWider = width / height > ownWidth / ownHeight;
  const follows = (mode === 'crop') === isWider;
  const scaled = follows
    ? { width, height: Math.max(1, Math.floor((ownHeight * width) / ownWidth)) }
    : { width: Math.max(1, Math.floor((ownWidth * height) / ownHeight)), height };
  const resized = upscaleImage(image, 'lanczos', scaled);
  const x = Math.floor(width / 2) - Math.floor(scaled.width / 2);
  const y = Math.floor(height / 2) - Math.floor(scaled.height / 2);
  if (mode === 'crop') return crop(resized, IMAGE_ROWS, { x: -x, y: -y, width, height });
  return withEdgesDrawnOut(resized, { x, y, width, height });
}

/**
 * What Pillow makes of an edge when it stretches a box of no width there: its bicubic kernel sees the two outermost pixels, half and one and a half of them
 * away.
 */
const EDGE = [1.125, -0.125] as const;

/** Laid with its corner at (x, y); what is beyond an edge goes on as it does there. One of the two is 0. */
function withEdgesDrawnOut(
  image: Tensor,
  place: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): Tensor {
  const [count = 0, ownHeight = 0, ownWidth = 0, channels = 0] = image.shape;
  const result = tensor([count, place.height, place.width, channels]);
  const within = (value: number, limit: number) => Math.min(Math.max(value, 0), limit - 1);
  for (let index = 0; index < count; index++) {
    const at = (y: number, x: number) =>
      ((index * ownHeight + within(y, ownHeight)) * ownWidth + within(x, ownWidth)) * channels;
    for (let y = 0; y < place.height; y++) {
      for (let x = 0; x < place.width; x++) {
        const [fromY, fromX] = [y - place.y, x - place.x];
        const outY = fromY - within(fromY, ownHeight);
        const outX = fromX - within(fromX, ownWidth);
        const edge = at(fromY, fromX);
        // The pixel behind the edge's, where this one is beyond it.
        const behind = at(
          within(fromY, ownHeight) - Math.sign(outY),
          within(fromX, ownWidth) - Math.sign(outX),
        );
        const into = ((index * place.height + y) * place.width + x) * channels;
        for (let channel = 0; channel < channels; channel++) {
          const value = image.data[edge + channel]!;
          result.data[into + channel] =
            outX === 0 && outY === 0
              ? value
              : asByte(EDGE[0] * value + EDGE[1] * image.data[behind + channel]!);
        }
      }
    }
  }
  return result;
}

function asByte(value: number): number {
  return Math.round(Math.min(Math.max(value, 0), 1) * 255) / 255;
}
