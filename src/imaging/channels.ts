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

/** Images N×H×W×C as planes, N×C×H×W. */
export function channelsFirst(image: Tensor): Tensor {
  const [rows = 0, height = 0, width = 0, channels = 0] = image.shape;
  const area = height * width;
  const planes = tensor([rows, channels, height, width]);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      const to = (row * channels + channel) * area;
      let from = row * area * channels + channel;
      for (let pixel = 0; pixel < area; pixel++, from += channels)
        planes.data[to + pixel] = image.data[from]!;
    }
  }
  return planes;
}

/** Planes N×C×H×W as images, N×H×W×C. */
export function channelsLast(planes: Tensor): Tensor {
  const [rows = 0, channels = 0, height = 0, width = 0] = planes.shape;
  const area = height * width;
  const image = tensor([rows, height, width, channels]);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (row * channels + channel) * area;
      let to = row * area * channels + channel;
      for (let pixel = 0; pixel < area; pixel++, to += channels) image.data[to] = planes.data[from + pixel]!;
    }
  }
  return image;
}
