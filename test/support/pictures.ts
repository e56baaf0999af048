import { tensor, type Tensor } from '../../src/compute/tensor.js';

/** N×C×H×W → N×H×W×C */
export function channelsLast(planes: Tensor): Tensor {
  const [count = 0, channels = 0, height = 0, width = 0] = planes.shape;
  const pixels = height * width;
  const image = tensor([count, height, width, channels]);
  image.data.forEach((_, at) => {
    const row = Math.floor(at / (pixels * channels));
    const pixel = Math.floor(at / channels) % pixels;
    image.data[at] = planes.data[(row * channels + (at % channels)) * pixels + pixel]!;
  });
  return image;
}
