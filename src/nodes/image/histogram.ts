/** How often brightnesses come in an image (ComfyUI comfy_extras/nodes_curve.py). */
import type { Tensor } from '../../compute/tensor.js';
import { defineNode, link } from '../definition.js';

const { fround } = Math;

/** Of float32 brightnesses in 256ths, cut. */
function counted(values: Iterable<number>): number[] {
  const counts = Array<number>(256).fill(0);
  for (const value of values) counts[Math.trunc(Math.min(Math.max(fround(value * 255), 0), 255))]!++;
  return counts;
}

function* channelOf({ data }: Tensor, pixels: number, channels: number, channel: number): Generator<number> {
  for (let pixel = 0; pixel < pixels; pixel++) yield data[pixel * channels + channel]!;
}

/** ITU-R BT.709's luminance. */
function* luminanceOf({ data }: Tensor, pixels: number, channels: number): Generator<number> {
  for (let pixel = 0; pixel < pixels; pixel++) {
    const at = pixel * channels;
    const redGreen = fround(fround(fround(0.2126) * data[at]!) + fround(fround(0.7152) * data[at + 1]!));
    yield fround(redGreen + fround(fround(0.0722) * data[at + 2]!));
  }
}

export const imageHistogram = defineNode({
  name: 'ImageHistogram',
  displayName: 'Image Histogram',
  category: 'utilities',
  description: 'How often each of 256 brightnesses comes in the first image.',
  required: { image: link('IMAGE', { tooltip: 'The image.' }) },
  optional: {},
  outputs: [
    { type: 'HISTOGRAM', name: 'rgb' },
    { type: 'HISTOGRAM', name: 'luminance' },
    { type: 'HISTOGRAM', name: 'red' },
    { type: 'HISTOGRAM', name: 'green' },
    { type: 'HISTOGRAM', name: 'blue' },
  ],
  run({ image }) {
    const [, height, width, channels] = image.shape as readonly [number, number, number, number];
    if (channels < 3) throw new RangeError(`ImageHistogram needs three channels, the image has ${channels}`);
    const pixels = height * width;
    const of = (channel: number): number[] => counted(channelOf(image, pixels, channels, channel));
    const [red, green, blue] = [of(0), of(1), of(2)];
    const rgb = red.map((count, at) => Math.floor((count + green[at]! + blue[at]!) / 3));
    const luminance = counted(luminanceOf(image, pixels, channels));
    return { outputs: [rgb, luminance, red, green, blue] };
  },
});
