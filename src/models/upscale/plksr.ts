/** PLKSR and RealPLKSR: large kernels on a part of the channels (Lee et al., 2024; spandrel architectures/PLKSR). */
import type { Value } from '../../compute/graph.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import { channelNorm } from './picture-layers.js';
import { pictureGraph, sequenceLength, type PictureLayers, type UpscaleFamily } from './network.js';

/** No file says into how many groups RealPLKSR's normalisation is cut. */
const normGroups = 4;
/** Nor how sparse kernels are: what spandrel takes (PLKSRArch.load). */
const sparseSide = 5;
const sparseDilations = [1, 2, 3, 4];

export const plksr: UpscaleFamily = {
  name: 'PLKSR',
  recognises: (weights) =>
    weights.has('feats.0.weight') &&
    ['lk.conv', 'lk.convs.0', 'lk.mn_conv'].some((name) => weights.has(`feats.1.${name}.weight`)) &&
    weights.has('feats.1.refine.weight') &&
    ['channe_mixer', 'channel_mixer'].some((name) => weights.has(`feats.1.${name}.0.weight`)),
  read(weights) {
    // The plain model has this typo.
    const real = weights.has('feats.1.channel_mixer.0.weight');
    const layers = sequenceLength(weights, 'feats');
    const blocks = layers - (real ? 3 : 2);
    const shuffled = weights.weight(`feats.${layers - 1}.weight`).shape[0]!;
    const scale = Math.floor(Math.sqrt(Math.floor(shuffled / 3)));
    if (3 * scale ** 2 !== shuffled)
      throw new ModelError(`${weights.path}: ${shuffled} channels are no enlarged picture`);
    return {
      architecture: real ? 'RealPLKSR' : 'PLKSR',
      scale,
      inputChannels: 3,
      outputChannels: 3,
      minimumSide: 0,
      multipleOf: 1,
      graph: () =>
        pictureGraph('plksr', 3, weights, (nn, x) => {
          const { graph } = nn;
          let features = nn.conv2d(x, 'feats.0', { padding: 1 });
          for (let block = 1; block <= blocks; block++) {
            features = plkBlock(nn, weights, features, `feats.${block}`, real);
          }
          const last = nn.conv2d(features, `feats.${layers - 1}`, { padding: 1 });
          if (weights.has('to_img.init_pos')) {
            return dySample(nn, weights, graph.add(last, repeated(nn, x, scale ** 2)), scale);
          }
          // Repeated channels, shuffled, are the picture enlarged.
          return graph.add(graph.pixelShuffle(last, scale), graph.upsampleNearest(x, scale));
        }),
    };
  },
};

function plkBlock(nn: PictureLayers, weights: WeightSource, x: Value, path: string, real: boolean): Value {
  const { graph } = nn;
  let y = weights.has(`${path}.layer_norm.weight`) ? channelNorm(nn, weights, x, `${path}.layer_norm`) : x;
  y = channelMixer(nn, weights, y, `${path}.${real ? 'channel_mixer' : 'channe_mixer'}`, real);
  y = largeKernel(nn, weights, y, `${path}.lk`);
  if (weights.has(`${path}.attn.f.0.weight`)) {
    y = graph.multiply(y, graph.activation(nn.conv2d(y, `${path}.attn.f.0`, { padding: 1 }), 'sigmoid'));
  }
  y = nn.conv2d(y, `${path}.refine`);
  if (weights.has(`${path}.norm.weight`)) {
    const [weight, bias] = ['weight', 'bias'].map((name) => weights.weight(`${path}.norm.${name}`));
    y = graph.within(`${path}.norm`, () => graph.groupNorm(y, normGroups, weight!, bias!, 1e-5));
  }
  return graph.add(y, x);
}

/** Two convolutions, 3×3 or 1×1 each. */
function channelMixer(
  nn: PictureLayers,
  weights: WeightSource,
  x: Value,
  path: string,
  real: boolean,
): Value {
  const { graph } = nn;
  const padding = (layer: number) =>
    ({ padding: Math.floor(weights.weight(`${path}.${layer}.weight`).shape[2]! / 2) }) as const;
  const wide = nn.conv2d(x, `${path}.0`, padding(0));
  return nn.conv2d(real ? graph.mish(wide) : graph.activation(wide, 'gelu'), `${path}.2`, padding(2));
}

/** Large kernels on the first channels; the others stay as they are. */
function largeKernel(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  if (weights.has(`${path}.convs.0.weight`)) return sparseKernels(nn, weights, x, path);
  const names = ['conv', 'mn_conv', 'nm_conv', 'nn_conv'].filter((name) =>
    weights.has(`${path}.${name}.weight`),
  );
  const channels = weights.weight(`${path}.${names[0]!}.weight`).shape[0]!;
  return ofFirstChannels(nn, x, channels, (part) =>
    names
      .map((name) => {
        const [, , height = 1, width = 1] = weights.weight(`${path}.${name}.weight`).shape;
        const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)];
        return nn.conv2d(part, `${path}.${name}`, { padding: [rows, columns, rows, columns] });
      })
      .reduce((sum, value) => graph.add(sum, value)),
  );
}

function ofFirstChannels(
  { graph }: PictureLayers,
  x: Value,
  channels: number,
  body: (part: Value) => Value,
): Value {
  const all = x.shape[1] as number;
  const seen = body(graph.slice(x, 1, 0, channels));
  return channels === all ? seen : graph.concat([seen, graph.slice(x, 1, channels, all - channels)], 1);
}

/** Dilated convolutions, side by side: together they are one large one. */
function sparseKernels(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const count = sequenceLength(weights, `${path}.convs`);
  const kernels = Array.from({ length: count }, (_, at) => weights.weight(`${path}.convs.${at}.weight`));
  const biases = Array.from({ length: count }, (_, at) => weights.weight(`${path}.convs.${at}.bias`));
  const [outputs = 0, inputs = 0] = kernels[0]!.shape;
  if (
    count !== sparseDilations.length ||
    kernels.some(({ shape }) => shape.join() !== [outputs, inputs, sparseSide, sparseSide].join())
  ) {
    const sides = kernels.map(({ shape }) => shape.slice(2).join('×')).join(', ');
    throw new ModelError(
      `${weights.path}: ${path} has sparse kernels of ${sides}, whose dilations no file says; four of 5×5 are known`,
    );
  }
  const side = (sparseSide - 1) * Math.max(...sparseDilations) + 1;
  const middle = Math.floor(side / 2);
  const weight = computed(`${path}.convs.weight`, [outputs, inputs, side, side], () => {
    const whole = new Float64Array(outputs * inputs * side ** 2);
    kernels.forEach((kernel, at) => {
      const dilation = sparseDilations[at]!;
      const place = (tap: number): number => middle + (tap - Math.floor(sparseSide / 2)) * dilation;
      valuesOf(kernel).forEach((value, index) => {
        const [row, column] = [Math.floor(index / sparseSide) % sparseSide, index % sparseSide];
        const plane = Math.floor(index / sparseSide ** 2);
        whole[(plane * side + place(row)) * side + place(column)]! += value;
      });
    });
    return Float32Array.from(whole);
  });
  const bias = computed(`${path}.convs.bias`, [outputs], () => {
    const values = biases.map(valuesOf);
    return Float32Array.from({ length: outputs }, (_, at) => values.reduce((sum, own) => sum + own[at]!, 0));
  });
  return ofFirstChannels(nn, x, outputs, (part) =>
    nn.graph.within(path, () => nn.graph.conv2d(part, weight, bias, { padding: middle })),
  );
}

/** Each channel `times` times, side by side. */
function repeated(nn: PictureLayers, x: Value, times: number): Value {
  const channels = x.shape[1] as number;
  const repeat = computed('repeat', [channels * times, channels, 1, 1], () =>
    Float32Array.from({ length: channels * times * channels }, (_, at) =>
      Math.floor(at / channels / times) === at % channels ? 1 : 0,
    ),
  );
  return nn.graph.conv2d(x, repeat);
}

/** DySample: learned places to read each output pixel at (Liu et al., 2023; spandrel __arch_helpers/dysample.py). */
function dySample(nn: PictureLayers, weights: WeightSource, x: Value, scale: number): Value {
  const { graph } = nn;
  const groups = scale % 2 === 0 ? 4 : 3;
  const scope = graph.activation(nn.conv2d(x, 'to_img.scope'), 'sigmoid');
  const moved = graph.scale(graph.multiply(nn.conv2d(x, 'to_img.offset'), scope), 0.5);
  const offsets = graph.addBroadcast(moved, graph.constant(weights.weight('to_img.init_pos')));
  const read = graph.sampleOffsets(x, offsets, scale, groups);
  return weights.has('to_img.end_conv.weight') ? nn.conv2d(read, 'to_img.end_conv') : read;
}
