/** What coding one image takes in memory, beside the weights; ONNX Runtime's, measured on SD 1.5's autoencoder. */
import type { WeightSource } from '../weight-source.js';
import type { VaeConfig } from './config.js';

const floatBytes = 4;

/** Copies held at a time of the widest tensor at full size: a convolution's input, output, packed forms and sums. */
const liveTensors = 5;
/** Of the attention's tokens × tokens in the middle. */
const liveAttentions = 2;

/** Bytes that decoding a latent of `height`×`width` takes: 4–6 kB a pixel for SD's, 7.5 GB for 1024×1024. */
export function decodeBytes(weights: WeightSource, config: VaeConfig, height: number, width: number): number {
  const pixels = height * width * 4 ** (config.levels - 1);
  const channels = weights.weight('decoder.up.0.block.0.conv1.weight').shape[1]!;
  return bytes(channels * pixels, height * width);
}

/** Bytes that encoding an image of `height`×`width` pixels takes, about half as many. */
export function encodeBytes(weights: WeightSource, config: VaeConfig, height: number, width: number): number {
  const channels = weights.weight('encoder.conv_in.weight').shape[0]!;
  return bytes(channels * height * width, (height * width) / 4 ** (config.levels - 1));
}

function bytes(values: number, tokens: number): number {
  return (values * liveTensors + tokens * tokens * liveAttentions) * floatBytes;
}
