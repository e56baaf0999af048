import { tensor, type Tensor } from '../../compute/tensor.js';
import { bicubicAntialiased } from '../../imaging/antialias.js';
import { withChannel } from '../../imaging/latent-channels.js';
import { crop, LATENT_ROWS } from '../../imaging/planes.js';
import type { EncodedImages, ImageEncoder } from '../vision/image-encoder.js';

/** Pictures encoded with what a mask hides grey (ComfyUI_IPAdapter_plus, IPAdapterEncoder): the mask's middle square lies over each. */
export async function maskedEncoding(
  encoder: ImageEncoder,
  images: Tensor,
  mask: Tensor | undefined,
): Promise<EncodedImages> {
  if (mask === undefined) return encoder.encode(images, 'center');
  const size = encoder.imageSize;
  const planes = encoder.preprocess(images, 'center');
  const fitted = middleSquare(withChannel(mask), size);
  const [rows = 1] = planes.shape;
  const [masks = 1] = fitted.shape;
  if (masks !== 1 && masks !== rows) {
    throw new RangeError(`${masks} masks can't lie over ${rows} pictures: one for each, or one for all`);
  }
  const area = size * size;
  const masked = tensor(
    planes.shape,
    planes.data.map((value, at) => {
      const row = masks === 1 ? 0 : Math.floor(at / (3 * area));
      return value * fitted.data[row * area + (at % area)]!;
    }),
  );
  return encoder.encodePlanes(masked);
}

function middleSquare(mask: Tensor, size: number): Tensor {
  const [, , height = 1, width = 1] = mask.shape;
  if (height === size && width === size) return mask;
  const side = Math.min(height, width);
  const square = crop(mask, LATENT_ROWS, {
    y: Math.round((height - side) / 2),
    x: Math.round((width - side) / 2),
    height: side,
    width: side,
  });
  return bicubicAntialiased(square, size, size);
}
