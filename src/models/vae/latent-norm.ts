/** Flux.2's latents: four pixels of 32 channels as one of 128, normalised as a batch norm was left (ComfyUI comfy/ldm/models/autoencoder.py, AutoencodingEngineLegacy). */
import { elementCount, tensor, type Tensor } from '../../compute/tensor.js';
import type { WeightSource } from '../weights/weight-source.js';

const epsilon = 1e-4;
/** Pixels a side that become one. */
const patch = 2;

export interface LatentNorm {
  /** N×4C×h×w as the decoder takes it, N×C×2h×2w. */
  readonly toDecoder: (latent: Tensor) => Tensor;
  /** What the encoder gives, N×C×2h×2w, as N×4C×h×w. */
  readonly fromEncoder: (latent: Tensor) => Tensor;
}

/** Undefined where an autoencoder's latents are what its networks have. */
export function readLatentNorm(weights: WeightSource): LatentNorm | undefined {
  if (!weights.has('bn.running_mean')) return undefined;
  const mean = valuesOf(weights, 'bn.running_mean');
  const variance = valuesOf(weights, 'bn.running_var');
  const deviation = variance.map((value) => Math.sqrt(Math.fround(value + epsilon)));
  return {
    toDecoder: (latent) =>
      moved(latent, 'out', (value, channel) => Math.fround(value * deviation[channel]!) + mean[channel]!),
    fromEncoder: (latent) =>
      moved(latent, 'in', (value, channel) => Math.fround(value - mean[channel]!) / deviation[channel]!),
  };
}

function valuesOf(weights: WeightSource, key: string): Float32Array {
  const weight = weights.weight(key);
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  return values;
}

/** Every value at its place in the other form; `change` sees the channel of the form with patches. */
function moved(
  latent: Tensor,
  way: 'in' | 'out',
  change: (value: number, channel: number) => number,
): Tensor {
  const [count = 0, channels = 0, height = 0, width = 0] = latent.shape;
  const [small, fine] =
    way === 'out'
      ? [
          { channels, height, width },
          { height: height * patch, width: width * patch },
        ]
      : [
          { channels: channels * patch ** 2, height: height / patch, width: width / patch },
          { height, width },
        ];
  const other =
    way === 'out'
      ? tensor([count, channels / patch ** 2, fine.height, fine.width])
      : tensor([count, small.channels, small.height, small.width]);
  for (let plane = 0; plane < count * small.channels; plane++) {
    const channel = plane % small.channels;
    const [down, across] = [Math.floor((channel % patch ** 2) / patch), channel % patch];
    const finePlane = Math.floor(plane / patch ** 2);
    for (let y = 0; y < small.height; y++) {
      for (let x = 0; x < small.width; x++) {
        const inSmall = (plane * small.height + y) * small.width + x;
        const inFine = (finePlane * fine.height + y * patch + down) * fine.width + x * patch + across;
        if (way === 'out') other.data[inFine] = change(latent.data[inSmall]!, channel);
        else other.data[inSmall] = change(latent.data[inFine]!, channel);
      }
    }
  }
  return other;
}
