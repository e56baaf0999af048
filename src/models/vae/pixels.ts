/** Between images as nodes hand them on (N×H×W×C in [0, 1]) and planes as networks take them (N×3×H×W in [−1, 1]). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { ModelError } from '../model-error.js';

/**
 * Row `index` of `images` as planes, cropped around its centre to multiples of `multiple` (ComfyUI comfy/sd.py,
 * vae_encode_crop_pixels). A fourth channel is left out. Throws `ModelError` when nothing would be left.
 */
export function planesOf(images: Tensor, index: number, multiple: number): Tensor {
  const [, height = 0, width = 0, channels = 0] = images.shape;
  const rows = Math.floor(height / multiple) * multiple;
  const columns = Math.floor(width / multiple) * multiple;
  if (channels < 3 || rows === 0 || columns === 0) {
    throw new ModelError(
      `an image of ${width}×${height} pixels and ${channels} channels can't be encoded: it takes ${multiple}×${multiple} pixels and 3 channels at least`,
    );
  }
  const top = Math.floor((height % multiple) / 2);
  const left = Math.floor((width % multiple) / 2);
  const planes = tensor([1, 3, rows, columns]);
  let target = 0;
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < rows; y++) {
      let source = ((index * height + top + y) * width + left) * channels + channel;
      for (let x = 0; x < columns; x++, source += channels) {
        planes.data[target++] = images.data[source]! * 2 - 1;
      }
    }
  }
  return planes;
}

/** Row `index` of `images` as one image 1×H×W×3, cropped likewise. */
export function cropped(images: Tensor, index: number, multiple: number): Tensor {
  const planes = planesOf(images, index, multiple);
  const [, , height = 0, width = 0] = planes.shape;
  const image = tensor([1, height, width, 3]);
  writeImage(planes, image, 0);
  return image;
}

/** Writes planes 1×3×H×W as row `index` of `images`, clamped to [0, 1]. */
export function writeImage(planes: Tensor, images: Tensor, index: number): void {
  const [, height = 0, width = 0] = images.shape;
  const area = height * width;
  let target = index * area * 3;
  for (let pixel = 0; pixel < area; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = (planes.data[channel * area + pixel]! + 1) / 2;
      images.data[target++] = Math.min(Math.max(value, 0), 1);
    }
  }
}
