import { elementCount } from '../../../compute/tensor.js';
import type { Weight } from '../../../compute/weight.js';

/**
 * The last `taps` of a convolution over frames, O×I×T×kH×kW, as one over the channels of as many frames, O×(taps·I)×kH×kW: frame by
 * frame, the earliest first.
 */
export function tapWeight(weight: Weight, taps: number): Weight {
  const [outputs = 0, inputs = 0, depth = 0, height = 0, width = 0] = weight.shape;
  const shape = [outputs, taps * inputs, height, width];
  if (depth === 1) return { ...weight, shape };
  const area = height * width;
  return {
    name: `${weight.name}[:, :, ${depth - taps}:]`,
    shape,
    read(into) {
      const whole = new Float32Array(elementCount(weight.shape));
      weight.read(whole);
      for (let output = 0; output < outputs; output++) {
        for (let tap = 0; tap < taps; tap++) {
          for (let input = 0; input < inputs; input++) {
            const from = ((output * inputs + input) * depth + (depth - taps + tap)) * area;
            into.set(whole.subarray(from, from + area), ((output * taps + tap) * inputs + input) * area);
          }
        }
      }
    },
  };
}
