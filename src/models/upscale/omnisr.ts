/** OmniSR: attention of windows, grids and channels in turn (Wang et al., 2023; spandrel architectures/OmniSR). */
import type { Value } from '../../compute/graph.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import {
  hasAll,
  pictureGraph,
  sequenceLength,
  shuffledScale,
  type PictureLayers,
  type UpscaleFamily,
} from './network.js';
import { channelNorm, depthwise, gate, pointwise } from './picture-layers.js';
import { relativeBias, splitThree } from './windows.js';

const heads = 4;
/** Where no table of positions tells it. */
const usualWindow = 8;

export const omniSr: UpscaleFamily = {
  name: 'OmniSR',
  recognises: (weights) =>
    hasAll(weights, 'residual_layer.0.residual_layer.0.layer.0.fn.0.weight', 'input.weight', 'up.0.weight'),
  read(weights) {
    const inputChannels = weights.weight('input.weight').shape[1]!;
    const shuffled = weights.weight('up.0.weight').shape[0]!;
    const found = shuffledScale(shuffled, inputChannels);
    if (found === undefined)
      throw new ModelError(`${weights.path}: ${shuffled} channels are no enlarged picture`);
    const table = 'residual_layer.0.residual_layer.0.layer.2.fn.rel_pos_bias.weight';
    const window = weights.has(table)
      ? Math.floor((Math.sqrt(weights.weight(table).shape[0]!) + 1) / 2)
      : usualWindow;
    return {
      architecture: 'OmniSR',
      ...found,
      inputChannels,
      minimumSide: 16,
      multipleOf: 1,
      windowMultiple: window,
      windowPadding: 'zero',
      graph: () =>
        pictureGraph('omnisr', inputChannels, weights, (nn, x) => {
          const { graph } = nn;
          const first = nn.conv2d(x, 'input', { padding: 1 });
          let features = first;
          for (let group = 0; group < sequenceLength(weights, 'residual_layer'); group++) {
            features = attentionGroup(nn, weights, features, `residual_layer.${group}`, window);
          }
          features = graph.add(nn.conv2d(features, 'output', { padding: 1 }), first);
          return graph.pixelShuffle(nn.conv2d(features, 'up.0', { padding: 1 }), found.scale);
        }),
    };
  },
};

function attentionGroup(
  nn: PictureLayers,
  weights: WeightSource,
  x: Value,
  path: string,
  window: number,
): Value {
  const { graph } = nn;
  const blocks = sequenceLength(weights, `${path}.residual_layer`) - 1;
  let inner = x;
  for (let block = 0; block < blocks; block++) {
    inner = omniBlock(nn, weights, inner, `${path}.residual_layer.${block}.layer`, window);
  }
  return spatialAttention(
    nn,
    graph.add(nn.conv2d(inner, `${path}.residual_layer.${blocks}`), x),
    `${path}.esa`,
  );
}

function omniBlock(nn: PictureLayers, weights: WeightSource, x: Value, path: string, window: number): Value {
  const { graph } = nn;
  const residual = (value: Value, layer: number, body: (normed: Value, at: string) => Value): Value => {
    const normed = channelNorm(nn, weights, value, `${path}.${layer}.norm`);
    return graph.add(body(normed, `${path}.${layer}.fn`), value);
  };
  const feedForward = (value: Value, layer: number) =>
    residual(value, layer, (normed, at) => gatedFeedForward(nn, weights, normed, at));

  let y = mbConv(nn, weights, x, `${path}.0.fn`);
  // Two layers of norms differ in their epsilon: those before attention are torch's own.
  const windows = graph.windows(y, window, window);
  y = graph.joinWindows(preNormAttention(nn, weights, windows, `${path}.2`, window), y, window, window);
  y = feedForward(y, 4);
  y = residual(y, 5, (normed, at) =>
    channelAttention(nn, weights, normed, at, {
      cut: (value) => graph.windows(value, window, window),
      join: (value, like) => graph.joinWindows(value, like, window, window),
    }),
  );
  y = feedForward(y, 6);
  const combs = graph.combs(y, window, 'count');
  y = graph.joinCombs(preNormAttention(nn, weights, combs, `${path}.8`, window), y, window, 'count');
  y = feedForward(y, 10);
  y = residual(y, 11, (normed, at) =>
    channelAttention(nn, weights, normed, at, {
      cut: (value) => graph.combs(value, window, 'step'),
      join: (value, like) => graph.joinCombs(value, like, window, 'step'),
    }),
  );
  return feedForward(y, 12);
}

/** Attention of tokens among each other, beside them. */
function preNormAttention(
  nn: PictureLayers,
  weights: WeightSource,
  tokens: Value,
  path: string,
  window: number,
): Value {
  const { graph } = nn;
  const [query, key, value] = splitThree(
    graph,
    nn.linear(nn.layerNorm(tokens, `${path}.norm`), `${path}.fn.to_qkv`),
  );
  const table = `${path}.fn.rel_pos_bias.weight`;
  const mixed = graph.windowAttention(query, key, value, heads, {
    scale: ((query.shape[2] as number) / heads) ** -0.5,
    ...(weights.has(table) ? { bias: relativeBias(weights.weight(table), window, window) } : {}),
  });
  return graph.add(nn.linear(mixed, `${path}.fn.to_out.0`), tokens);
}

interface Cut {
  readonly cut: (picture: Value) => Value;
  readonly join: (tokens: Value, like: Value) => Value;
}

function channelAttention(
  nn: PictureLayers,
  weights: WeightSource,
  x: Value,
  path: string,
  { cut, join }: Cut,
): Value {
  const { graph } = nn;
  const joined = depthwise(nn, weights, nn.conv2d(x, `${path}.qkv`), `${path}.qkv_dwconv`);
  const channels = (joined.shape[1] as number) / 3;
  const [query, key, value] = [0, 1, 2].map((part) => cut(graph.slice(joined, 1, part * channels, channels)));
  const mixed = graph.channelAttention(query!, key!, value!, heads, {
    temperature: pointwise(weights.weight(`${path}.temperature`), [heads]),
    normalized: true,
  });
  return nn.conv2d(join(mixed, x), `${path}.project_out`);
}

function gatedFeedForward(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  const wide = depthwise(nn, weights, nn.conv2d(x, `${path}.project_in`), `${path}.dwconv`);
  const half = (wide.shape[1] as number) / 2;
  const active = graph.activation(graph.slice(wide, 1, 0, half), 'gelu');
  return nn.conv2d(graph.multiply(active, graph.slice(wide, 1, half, half)), `${path}.project_out`);
}

/** An inverted bottleneck with squeeze and excitation. */
function mbConv(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  const wide = graph.activation(nn.conv2d(x, `${path}.0`), 'gelu');
  const seen = graph.activation(depthwise(nn, weights, wide, `${path}.2`), 'gelu');
  const excited = gate(nn, seen, (mean) =>
    nn.linear(graph.activation(nn.linear(mean, `${path}.4.gate.1`), 'silu'), `${path}.4.gate.3`),
  );
  return graph.add(nn.conv2d(excited, `${path}.5`), x);
}

/** Enhanced spatial attention. */
function spatialAttention(nn: PictureLayers, x: Value, path: string): Value {
  const { graph } = nn;
  const narrow = nn.conv2d(x, `${path}.conv1`);
  const strongest = graph.maxPool(nn.conv2d(narrow, `${path}.conv2`, { stride: 2 }), {
    size: 7,
    stride: 3,
    padding: 0,
  });
  const wide = graph.resizeTo(nn.conv2d(strongest, `${path}.conv3`, { padding: 1 }), x);
  const mask = nn.conv2d(graph.add(wide, nn.conv2d(narrow, `${path}.conv_f`)), `${path}.conv4`);
  return graph.multiply(x, graph.activation(mask, 'sigmoid'));
}
