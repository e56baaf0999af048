/** Channels of images, N×H×W×C. */
import { tensor, type Tensor } from '../compute/tensor.js';

/** The first three channels. Throws `RangeError` when there are fewer. */
export function rgbOf(image: Tensor): Tensor {
  const channels = image.shape[3]!;
  if (channels === 3) return image;
  if (channels < 3) throw new RangeError(`an RGB image is needed, this one has ${channels} channels`);
  const rgb = tensor([...image.shape.slice(0, 3), 3]);
  for (let i = 0; i < rgb.data.length; i++) {
    rgb.data[i] = image.data[Math.floor(i / 3) * channels + (i % 3)]!;
  }
  return rgb;
}

/** As many channels as asked for: further ones left out, a missing alpha opaque (what ComfyUI node_helpers.py, image_alpha_fix means to do). */
export function withChannels(image: Tensor, channels: number): Tensor {
  const own = image.shape[3]!;
  if (own === channels) return image;
  const result = tensor([...image.shape.slice(0, 3), channels]);
  result.data.forEach((_, at) => {
    const channel = at % channels;
    result.data[at] = channel < own ? image.data[Math.floor(at / channels) * own + channel]! : 1;
  });
  return result;
}

/** Masks, N×H×W, as grey images. */
export function greyImage(mask: Tensor): Tensor {
  const image = tensor([...mask.shape, 3]);
  for (let i = 0; i < mask.data.length; i++) image.data.fill(mask.data[i]!, i * 3, i * 3 + 3);
  return image;
}
