/**
 * SPAN, the parameter-free attention network (Wan et al., 2023; spandrel architectures/SPAN). Its convolutions were trained as
 * a 1×1, a 3×3 and a 1×1 one in a row beside a skip; they are one 3×3 convolution.
 */
import type { Value } from '../../compute/graph.js';
import type { Weight } from '../../compute/weight.js';
import { ModelError } from '../model-error.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';
import { hasAll, pictureGraph, shuffledScale, type PictureLayers, type UpscaleFamily } from './network.js';
import { centred, rgbMean } from './picture-layers.js';

/** What spandrel takes, since no file says. */
const range = 255;

export const span: UpscaleFamily = {
  name: 'SPAN',
  recognises: (weights) =>
    hasAll(
      weights,
      ...['conv_1.sk.weight', 'block_1.c1_r.sk.weight', 'block_1.c1_r.eval_conv.weight'],
      ...['block_1.c3_r.eval_conv.weight', 'conv_cat.weight', 'conv_2.sk.weight', 'conv_2.eval_conv.weight'],
      'upsampler.0.weight',
    ),
  read(weights) {
    const inputChannels = weights.weight('conv_1.sk.weight').shape[1]!;
    const shuffled = weights.weight('upsampler.0.weight').shape[0]!;
    const found = shuffledScale(shuffled, inputChannels);
    if (found === undefined)
      throw new ModelError(`${weights.path}: ${shuffled} channels are no enlarged picture`);
    const { scale, outputChannels } = found;
    const normalized = !weights.has('no_norm');
    if (normalized && inputChannels !== 3) {
      throw new ModelError(
        `${weights.path} takes ${inputChannels} channels off their mean, which is known of red, green and blue alone (it has no no_norm)`,
      );
    }
    return {
      architecture: 'SPAN',
      scale,
      inputChannels,
      outputChannels,
      minimumSide: 0,
      multipleOf: 1,
      graph: () =>
        pictureGraph('span', inputChannels, weights, (nn, x) =>
          nn.graph.pixelShuffle(
            features(nn, weights, normalized ? centred(nn.graph, x, rgbMean(inputChannels), range) : x),
            scale,
          ),
        ),
    };
  },
};

function features(nn: PictureLayers, weights: WeightSource, x: Value): Value {
  const { graph } = nn;
  const first = conv3xc(nn, weights, x, 'conv_1');
  const results: Value[] = [];
  let inner = first;
  // Of the last block, what its first convolution gives counts too.
  let lastInner = first;
  for (let index = 1; index <= 6; index++) {
    const block = attentionBlock(nn, weights, inner, `block_${index}`);
    inner = block.result;
    lastInner = block.first;
    results.push(inner);
  }
  const last = conv3xc(nn, weights, inner, 'conv_2');
  const joined = graph.concat([first, last, results[0]!, lastInner], 1);
  return nn.conv2d(nn.conv2d(joined, 'conv_cat'), 'upsampler.0', { padding: 1 });
}

function attentionBlock(
  nn: PictureLayers,
  weights: WeightSource,
  x: Value,
  path: string,
): { readonly result: Value; readonly first: Value } {
  const { graph } = nn;
  // The reference activates in place, so what it hands on is activated too.
  const first = graph.activation(conv3xc(nn, weights, x, `${path}.c1_r`), 'silu');
  const second = conv3xc(nn, weights, first, `${path}.c2_r`);
  const third = conv3xc(nn, weights, graph.activation(second, 'silu'), `${path}.c3_r`);
  const attention = graph.shift(graph.activation(third, 'sigmoid'), -0.5);
  return { result: graph.multiply(graph.add(third, x), attention), first };
}

function conv3xc(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { weight, bias } = merged(weights, path);
  return nn.graph.within(path, () => nn.graph.conv2d(x, weight, bias, { padding: 1 }));
}

/** The one convolution that Conv3XC is; the file's own `eval_conv` may be stale. */
function merged(weights: WeightSource, path: string): { readonly weight: Weight; readonly bias: Weight } {
  const at = (name: string): Weight => weights.weight(`${path}.${name}`);
  const [outputs, inputs] = at('sk.weight').shape as [number, number];
  const [middle, before] = at('conv.1.weight').shape as [number, number];
  const [kernels, biases] = ['weight', 'bias'].map((kind) =>
    [0, 1, 2].map((layer) => at(`conv.${layer}.${kind}`)),
  ) as [Weight[], Weight[]];
  const [skipWeight, skipBias] = [at('sk.weight'), at('sk.bias')];
  const weight = computed(`${path}.weight`, [outputs, inputs, 3, 3], () => {
    const [w1, w2, w3] = kernels.map(valuesOf);
    const half = new Float64Array(middle * inputs * 9);
    for (let m = 0; m < middle; m++) {
      for (let b = 0; b < before; b++) {
        for (let i = 0; i < inputs; i++) {
          for (let tap = 0; tap < 9; tap++) {
            half[(m * inputs + i) * 9 + tap]! += w2![(m * before + b) * 9 + tap]! * w1![b * inputs + i]!;
          }
        }
      }
    }
    const whole = new Float64Array(outputs * inputs * 9);
    for (let o = 0; o < outputs; o++) {
      for (let m = 0; m < middle; m++) {
        const factor = w3![o * middle + m]!;
        for (let at9 = 0; at9 < inputs * 9; at9++) {
          whole[o * inputs * 9 + at9]! += factor * half[m * inputs * 9 + at9]!;
        }
      }
    }
    valuesOf(skipWeight).forEach((value, index) => {
      whole[index * 9 + 4]! += value;
    });
    return Float32Array.from(whole);
  });
  const bias = computed(`${path}.bias`, [outputs], () => {
    const [b1, b2, b3] = biases.map(valuesOf);
    const [w2, w3] = kernels.slice(1).map(valuesOf) as [Float32Array, Float32Array];
    const skip = valuesOf(skipBias);
    const half = Float64Array.from({ length: middle }, (_, m) => {
      let sum = b2![m]!;
      for (let b = 0; b < before; b++) {
        for (let tap = 0; tap < 9; tap++) sum += w2[(m * before + b) * 9 + tap]! * b1![b]!;
      }
      return sum;
    });
    return Float32Array.from({ length: outputs }, (_, o) =>
      half.reduce((sum, value, m) => sum + w3[o * middle + m]! * value, b3![o]! + skip[o]!),
    );
  });
  return { weight, bias };
}
