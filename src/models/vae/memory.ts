/** What coding one image takes in memory, beside the weights; measured on SD 1.5's autoencoder with our kernels. */
import type { WeightSource } from '../weights/weight-source.js';
import type { VaeConfig } from './config.js';

const floatBytes = 4;

/** Copies held at a time of the widest tensor at full size: a convolution's input, output and residual, and some to spare. */
const liveTensors = 3.5;

/** Bytes that decoding a latent of `height`×`width` takes, at most: 2.7 kB a pixel for SD's were measured. */
export function decodeBytes(weights: WeightSource, config: VaeConfig, height: number, width: number): number {
  const pixels = height * width * 4 ** (config.levels - 1);
  const channels = weights.weight('decoder.up.0.block.0.conv1.weight').shape[1]!;
  return workingBytes(channels, pixels);
}

/** Bytes that encoding an image of `height`×`width` pixels takes, about half as many. */
export function encodeBytes(weights: WeightSource, height: number, width: number): number {
  const channels = weights.weight('encoder.conv_in.weight').shape[0]!;
  return workingBytes(channels, height * width);
}

/** Bytes that a network of convolutions takes which has `channels` at its full size of `pixels`. */
export function workingBytes(channels: number, pixels: number): number {
  return channels * pixels * liveTensors * floatBytes;
}
