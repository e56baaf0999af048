/** Layers that several families of upscale models share. */
import type { GraphBuilder, Value } from '../../compute/graph.js';
import type { Weight } from '../../compute/weight.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { PictureLayers } from './network.js';
import { ModelError } from '../model-error.js';

/** DIV2K's mean colour, of pictures with three channels. */
export function rgbMean(channels: number): readonly number[] {
  return channels === 3 ? [0.4488, 0.4371, 0.404] : new Array<number>(channels).fill(0);
}

function perChannel(graph: GraphBuilder, name: string, values: readonly number[]): Value {
  return graph.constant(computed(name, [1, values.length, 1, 1], () => Float32Array.from(values)));
}

/** (x − mean)·range. */
export function centred(graph: GraphBuilder, x: Value, mean: readonly number[], range: number): Value {
  const below = mean.map((value) => -Math.fround(value));
  const moved = below.every((value) => value === 0)
    ? x
    : graph.addBroadcast(x, perChannel(graph, 'mean', below));
  return range === 1 ? moved : graph.scale(moved, range);
}

/** x/range + mean. */
export function restored(graph: GraphBuilder, x: Value, mean: readonly number[], range: number): Value {
  const scaled = range === 1 ? x : graph.scale(x, 1 / range);
  return mean.every((value) => value === 0)
    ? scaled
    : graph.addBroadcast(scaled, perChannel(graph, 'mean', mean));
}

/** Convolutions and pixel shuffles in turn (BasicSR's Upsample), under `PREFIX.0`, `PREFIX.2`, … */
export interface ShuffleSteps {
  /** Of all steps together. */
  readonly scale: number;
  readonly factors: readonly number[];
}

export function readShuffleSteps(weights: WeightSource, prefix: string): ShuffleSteps {
  const factors: number[] = [];
  for (let step = 0; weights.has(`${prefix}.${step}.weight`); step += 2) {
    const [outputs = 0, inputs = 1] = weights.weight(`${prefix}.${step}.weight`).shape;
    const factor = Math.sqrt(outputs / inputs);
    if (!Number.isInteger(factor)) {
      throw new ModelError(
        `${weights.path}: ${prefix}.${step} makes ${outputs} channels of ${inputs}, no enlargement`,
      );
    }
    factors.push(factor);
  }
  return { scale: factors.reduce((a, b) => a * b, 1), factors };
}

export function shuffleSteps(nn: PictureLayers, x: Value, prefix: string, { factors }: ShuffleSteps): Value {
  return factors.reduce(
    (value, factor, step) =>
      nn.graph.pixelShuffle(nn.conv2d(value, `${prefix}.${2 * step}`, { padding: 1 }), factor),
    x,
  );
}

/** A convolution, or three with fewer channels in the middle (SwinIR's `1conv` and `3conv`). */
export function residualConnection(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  if (weights.has(`${path}.weight`)) return nn.conv2d(x, path, { padding: 1 });
  const { graph } = nn;
  const first = graph.leakyRelu(nn.conv2d(x, `${path}.0`, { padding: 1 }), 0.2);
  const second = graph.leakyRelu(nn.conv2d(first, `${path}.2`), 0.2);
  return nn.conv2d(second, `${path}.4`, { padding: 1 });
}

/** fc1, gelu, fc2 on tokens. */
export function mlp(nn: PictureLayers, x: Value, path: string): Value {
  return nn.linear(nn.graph.activation(nn.linear(x, `${path}.fc1`), 'gelu'), `${path}.fc2`);
}

/** Layer normalisation over channels, for each pixel. */
export function channelNorm(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  const [weight, bias] = ['weight', 'bias'].map((name) => weights.weight(`${path}.${name}`));
  return graph.within(path, () =>
    graph.tokensToSpatial(graph.layerNorm(graph.spatialToTokens(x), weight!, bias!, 1e-6), x),
  );
}

/** A convolution of each channel by itself, as large as its input. */
export function depthwise(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const weight = weights.weight(`${path}.weight`);
  const bias = weights.has(`${path}.bias`) ? weights.weight(`${path}.bias`) : undefined;
  const [groups = 1, , side = 1] = weight.shape;
  return nn.graph.within(path, () =>
    nn.graph.groupedConv2d(x, weight, bias, { stride: 1, padding: Math.floor(side / 2), groups }),
  );
}

/** x times the sigmoid of what `body` (N×C → N×C) makes of its mean over pixels. */
export function gate(nn: PictureLayers, x: Value, body: (mean: Value) => Value): Value {
  return nn.graph.scalePerChannel(x, nn.graph.activation(body(nn.graph.meanPixels(x)), 'sigmoid'));
}

/** A weight's values in another shape: a 1×1 convolution as a linear layer, for one. */
export function pointwise(weight: Weight, shape: readonly number[]): Weight {
  return computed(weight.name, shape, () => valuesOf(weight));
}

/** A 1×1 convolution on N×C, pixels being none. */
export function pointwiseLinear(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const weight = weights.weight(`${path}.weight`);
  const bias = weights.has(`${path}.bias`) ? weights.weight(`${path}.bias`) : undefined;
  return nn.graph.within(path, () => nn.graph.linear(x, pointwise(weight, weight.shape.slice(0, 2)), bias));
}
