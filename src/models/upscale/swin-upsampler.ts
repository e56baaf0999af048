/** How SwinIR and Swin2SR make the larger picture of their features. */
import type { Value } from '../../compute/graph.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { PictureLayers } from './network.js';
import { readShuffleSteps, shuffleSteps } from './picture-layers.js';

export interface Upsampler {
  readonly kind: 'nearest+conv' | 'pixelshuffle' | 'pixelshuffledirect' | '';
  readonly scale: number;
  readonly build: (nn: PictureLayers, x: Value) => Value;
}

export function readUpsampler(weights: WeightSource, outputChannels: number): Upsampler {
  const conv = (nn: PictureLayers, x: Value, path: string) => nn.conv2d(x, path, { padding: 1 });
  const before = (nn: PictureLayers, x: Value) =>
    nn.graph.leakyRelu(conv(nn, x, 'conv_before_upsample.0'), 0.01);
  if (weights.has('conv_before_upsample.0.weight') && weights.has('conv_up1.weight')) {
    const steps = [1, 2, 3].filter((step) => weights.has(`conv_up${step}.weight`));
    const build = (nn: PictureLayers, x: Value): Value => {
      let y = before(nn, x);
      for (const step of steps) {
        y = nn.graph.leakyRelu(conv(nn, nn.graph.upsampleNearest(y, 2), `conv_up${step}`), 0.2);
      }
      return conv(nn, nn.graph.leakyRelu(conv(nn, y, 'conv_hr'), 0.2), 'conv_last');
    };
    return { kind: 'nearest+conv', scale: 2 ** steps.length, build };
  }
  if (weights.has('conv_before_upsample.0.weight')) {
    const steps = readShuffleSteps(weights, 'upsample');
    const build = (nn: PictureLayers, x: Value) =>
      conv(nn, shuffleSteps(nn, before(nn, x), 'upsample', steps), 'conv_last');
    return { kind: 'pixelshuffle', scale: steps.scale, build };
  }
  if (weights.has('upsample.0.weight')) {
    const shuffled = weights.weight('upsample.0.weight').shape[0]!;
    const scale = Math.floor(Math.sqrt(Math.floor(shuffled / outputChannels)));
    const build = (nn: PictureLayers, x: Value) => nn.graph.pixelShuffle(conv(nn, x, 'upsample.0'), scale);
    return { kind: 'pixelshuffledirect', scale, build };
  }
  return { kind: '', scale: 1, build: (nn, x) => conv(nn, x, 'conv_last') };
}
