import { elementCount } from '../../../compute/tensor.js';
import type { Weight } from '../../../compute/weight.js';
import type { WeightSource } from '../../weights/weight-source.js';

/** torch's own. */
const EPSILON = 1e-5;

/** A convolution with a batch normalisation behind it, as one convolution. */
export interface FoldedConvolution {
  readonly weight: Weight;
  readonly bias: Weight;
}

/** The convolution `conv` (without a bias) and the trained batch normalisation `norm` of a checkpoint. */
export function foldBatchNorm(
  weights: WeightSource,
  conv: string,
  norm: string,
  epsilon = EPSILON,
): FoldedConvolution {
  const kernel = weights.weight(`${conv}.weight`);
  const bias = weights.weight(`${norm}.bias`);
  const [weight, variances, means] = ['weight', 'running_var', 'running_mean'].map((name) =>
    weights.weight(`${norm}.${name}`),
  ) as [Weight, Weight, Weight];
  /** What each output channel is multiplied by. */
  const gains = (): Float64Array => {
    const variance = valuesOf(variances);
    return Float64Array.from(
      valuesOf(weight),
      (value, channel) => value / Math.sqrt(variance[channel]! + epsilon),
    );
  };
  return {
    weight: {
      name: kernel.name,
      shape: kernel.shape,
      read(into) {
        kernel.read(into);
        const fanIn = elementCount(kernel.shape.slice(1));
        gains().forEach((gain, channel) => {
          for (let i = channel * fanIn; i < (channel + 1) * fanIn; i++) into[i]! *= gain;
        });
      },
    },
    bias: {
      name: bias.name,
      shape: bias.shape,
      read(into) {
        bias.read(into);
        const mean = valuesOf(means);
        gains().forEach((gain, channel) => {
          into[channel]! -= gain * mean[channel]!;
        });
      },
    },
  };
}

export function valuesOf(weight: Weight): Float32Array {
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  return values;
}
