/** DAT: attention of windows and of channels in turn, each beside convolutions (Chen et al., 2023; spandrel architectures/DAT). */
import type { Value } from '../../compute/graph.js';
import type { Weight } from '../../compute/weight.js';
import { foldBatchNorm } from '../faces/networks/batch-norm.js';
import type { WeightSource } from '../weights/weight-source.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import { positionBias } from './dat-position.js';
import { hasAll, pictureGraph, sequenceLength, type PictureLayers, type UpscaleFamily } from './network.js';
import {
  centred,
  depthwise,
  pointwise,
  pointwiseLinear,
  residualConnection,
  restored,
  rgbMean,
} from './picture-layers.js';
import { readUpsampler } from './swin-upsampler.js';
import { inWindows, regionsOf, splitThree, windowRegions, type WindowLayout } from './windows.js';

const block0 = 'layers.0.blocks.0';

export const dat: UpscaleFamily = {
  name: 'DAT',
  recognises: (weights) =>
    hasAll(
      weights,
      ...['conv_first.weight', 'before_RG.1.weight', `${block0}.ffn.sg.conv.weight`],
      ...[`${block0}.attn.attns.0.rpe_biases`, `${block0}.attn.channel_interaction.1.weight`],
    ),
  read(weights) {
    const inputChannels = weights.weight('conv_first.weight').shape[1]!;
    const upsampler = readUpsampler(weights, inputChannels);
    const [first, second] = splitSizes(weights);
    const [half, otherHalf] = [Math.floor(first / 2), Math.floor(second / 2)];
    const layouts: readonly WindowLayout[] = [
      { height: first, width: second, shift: [half, otherHalf] },
      { height: second, width: first, shift: [otherHalf, half] },
    ];
    const multiple = Math.max(first, second);
    const padded = (extent: number) => Math.ceil(extent / multiple) * multiple;
    return {
      architecture: 'DAT',
      scale: upsampler.scale,
      inputChannels,
      outputChannels: inputChannels,
      minimumSide: 16,
      multipleOf: 1,
      extraInputs: ({ shape: [, , height = 0, width = 0] }) =>
        Object.fromEntries(
          layouts.map((layout, branch) => [
            `regions${branch}`,
            windowRegions(padded(height), padded(width), layout),
          ]),
        ),
      graph: () =>
        pictureGraph('dat', inputChannels, weights, (nn, given) => {
          const { graph } = nn;
          const mean = rgbMean(inputChannels);
          const shallow = nn.conv2d(centred(graph, given, mean, 1), 'conv_first', { padding: 1 });
          const deep = features(nn, weights, shallow, { layouts, multiple });
          const body = residualConnection(nn, weights, deep, 'conv_after_body');
          return restored(graph, upsampler.build(nn, graph.add(body, shallow)), mean, 1);
        }),
    };
  },
};

/** The last of the relative positions is one less than the window. */
function splitSizes(weights: WeightSource): readonly [number, number] {
  const positions = valuesOf(weights.weight(`${block0}.attn.attns.0.rpe_biases`));
  return [Math.trunc(positions.at(-2)! + 1), Math.trunc(positions.at(-1)! + 1)];
}

interface SplitWindows {
  /** Of the first half of the channels and of the second. */
  readonly layouts: readonly WindowLayout[];
  /** Sides of a picture are padded to this for attention. */
  readonly multiple: number;
}

function features(nn: PictureLayers, weights: WeightSource, x: Value, split: SplitWindows): Value {
  const { graph } = nn;
  const like = graph.padMultiple(graph.slice(x, 1, 0, 1), split.multiple);
  const regions = split.layouts.map((layout, branch) => regionsOf(graph, like, layout, `regions${branch}`));
  let tokens = nn.layerNorm(graph.spatialToTokens(x), 'before_RG.1');
  for (let layer = 0; layer < sequenceLength(weights, 'layers'); layer++) {
    const path = `layers.${layer}`;
    let inner = tokens;
    for (let block = 0; block < sequenceLength(weights, `${path}.blocks`); block++) {
      const at = `${path}.blocks.${block}`;
      const normed = nn.layerNorm(inner, `${at}.norm1`);
      const rolled = layer % 2 === 0 ? block > 0 && (block - 2) % 4 === 0 : block % 4 === 0;
      const attended =
        block % 2 === 0
          ? spatialAttention(nn, weights, normed, x, `${at}.attn`, split, rolled ? regions : undefined)
          : channelAttention(nn, weights, normed, x, `${at}.attn`);
      const added = graph.add(nn.linear(attended, `${at}.attn.proj`), inner);
      inner = graph.add(
        gatedFeedForward(nn, weights, nn.layerNorm(added, `${at}.norm2`), x, `${at}.ffn`),
        added,
      );
    }
    const picture = residualConnection(nn, weights, graph.tokensToSpatial(inner, x), `${path}.conv`);
    tokens = graph.add(graph.spatialToTokens(picture), tokens);
  }
  return graph.tokensToSpatial(nn.layerNorm(tokens, 'norm'), x);
}

/** Attention within windows, upright ones for half of the channels and lying ones for the others. */
function spatialAttention(
  nn: PictureLayers,
  weights: WeightSource,
  tokens: Value,
  like: Value,
  path: string,
  { layouts, multiple }: SplitWindows,
  regions: readonly Value[] | undefined,
): Value {
  const { graph } = nn;
  const parts = splitThree(graph, nn.linear(tokens, `${path}.qkv`)).map((part) =>
    graph.tokensToSpatial(part, like),
  );
  const value = parts[2]!;
  const padded = graph.padMultiple(graph.concat(parts, 1), multiple);
  const channels = value.shape[1] as number;
  const half = channels / 2;
  const branches = layouts.map((layout, branch) => {
    const own = regions === undefined ? { ...layout, shift: [0, 0] as const } : layout;
    const mine = [0, 1, 2].map((part) => graph.slice(padded, 1, part * channels + branch * half, half));
    const bias = positionBias(weights, `${path}.attns.${branch}`, layout);
    const heads = bias.shape[0]!;
    return inWindows(graph, graph.concat(mine, 1), own, (windows) => {
      const [query, key, mixedValue] = splitThree(graph, windows);
      return graph.windowAttention(query, key, mixedValue, heads, {
        scale: (half / heads) ** -0.5,
        bias,
        regions: regions?.[branch],
      });
    });
  });
  const attended = graph.cropLike(graph.concat(branches, 1), like);
  const convolved = convolution(nn, weights, value, path);
  return graph.spatialToTokens(
    graph.add(
      graph.scalePerChannel(attended, graph.activation(channelMap(nn, weights, convolved, path), 'sigmoid')),
      graph.multiply(convolved, graph.activation(spatialMap(nn, weights, attended, path), 'sigmoid')),
    ),
  );
}

function channelAttention(
  nn: PictureLayers,
  weights: WeightSource,
  tokens: Value,
  like: Value,
  path: string,
): Value {
  const { graph } = nn;
  const [query, key, value] = splitThree(graph, nn.linear(tokens, `${path}.qkv`));
  const temperature = weights.weight(`${path}.temperature`);
  const heads = temperature.shape[0]!;
  const mixed = graph.channelAttention(query, key, value, heads, {
    temperature: pointwise(temperature, [heads]),
    normalized: true,
  });
  const attended = graph.tokensToSpatial(mixed, like);
  const convolved = convolution(nn, weights, graph.tokensToSpatial(value, like), path);
  return graph.spatialToTokens(
    graph.add(
      graph.multiply(attended, graph.activation(spatialMap(nn, weights, convolved, path), 'sigmoid')),
      graph.scalePerChannel(convolved, graph.activation(channelMap(nn, weights, attended, path), 'sigmoid')),
    ),
  );
}

/** A depthwise convolution with its batch normalisation, and gelu. */
function convolution(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { weight, bias } = folded(weights, `${path}.dwconv.0`, `${path}.dwconv.1`);
  const groups = weight.shape[0]!;
  const seen = nn.graph.within(`${path}.dwconv`, () =>
    nn.graph.groupedConv2d(x, weight, bias, { stride: 1, padding: 1, groups }),
  );
  return nn.graph.activation(seen, 'gelu');
}

/** N×C of the mean over pixels. */
function channelMap(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  const at = `${path}.channel_interaction`;
  const { weight, bias } = folded(weights, `${at}.1`, `${at}.2`);
  const narrow = graph.within(`${at}.1`, () =>
    graph.linear(graph.meanPixels(x), pointwise(weight, weight.shape.slice(0, 2)), bias),
  );
  return pointwiseLinear(nn, weights, graph.activation(narrow, 'gelu'), `${at}.4`);
}

/** N×1×H×W. */
function spatialMap(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  const at = `${path}.spatial_interaction`;
  const { weight, bias } = folded(weights, `${at}.0`, `${at}.1`);
  const narrow = graph.within(`${at}.0`, () => graph.conv2d(x, weight, bias));
  return nn.conv2d(graph.activation(narrow, 'gelu'), `${at}.3`);
}

/** A convolution with a bias of its own and the batch normalisation behind it. */
function folded(
  weights: WeightSource,
  conv: string,
  norm: string,
): { readonly weight: Weight; readonly bias: Weight } {
  const { weight, bias } = foldBatchNorm(weights, conv, norm);
  const parts = [`${norm}.weight`, `${norm}.running_var`, `${conv}.bias`].map((key) => weights.weight(key));
  return {
    weight,
    bias: computed(bias.name, bias.shape, () => {
      const [gain, variance, own] = parts.map(valuesOf);
      return valuesOf(bias).map(
        (value, at) => value + (own![at]! * gain![at]!) / Math.sqrt(variance![at]! + 1e-5),
      );
    }),
  };
}

function gatedFeedForward(
  nn: PictureLayers,
  weights: WeightSource,
  tokens: Value,
  like: Value,
  path: string,
): Value {
  const { graph } = nn;
  const wide = graph.activation(nn.linear(tokens, `${path}.fc1`), 'gelu');
  const half = (wide.shape[2] as number) / 2;
  const normed = nn.layerNorm(graph.slice(wide, 2, half, half), `${path}.sg.norm`);
  const gates = depthwise(nn, weights, graph.tokensToSpatial(normed, like), `${path}.sg.conv`);
  const gated = graph.multiply(graph.slice(wide, 2, 0, half), graph.spatialToTokens(gates));
  return nn.linear(gated, `${path}.fc2`);
}
