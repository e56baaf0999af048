/** What coding one image takes in memory, beside the weights. */
import type { WeightSource } from '../weight-source.js';
import type { VaeConfig } from './config.js';

const floatBytes = 4;

/** Channels × pixels held at a time at the finest level: the input, output and the packed copy of a convolution. */
const liveTensors = 3;

/** Bytes at the peak of decoding a latent of `height`×`width`: in the finest level, or in the middle's attention. */
export function decodeBytes(weights: WeightSource, config: VaeConfig, height: number, width: number): number {
  const pixels = height * width * 4 ** (config.levels - 1);
  const channels = weights.weight('decoder.up.0.block.0.conv1.weight').shape[1]!;
  return peak(channels * pixels, height * width);
}

/** Bytes at the peak of encoding an image of `height`×`width` pixels. */
export function encodeBytes(weights: WeightSource, config: VaeConfig, height: number, width: number): number {
  const channels = weights.weight('encoder.conv_in.weight').shape[0]!;
  return peak(channels * height * width, (height * width) / 4 ** (config.levels - 1));
}

function peak(values: number, tokens: number): number {
  return Math.max(values * liveTensors, tokens * tokens) * floatBytes;
}
