/** HAT: Swin blocks with channel attention beside them, and overlapping windows (Chen et al., 2023; spandrel architectures/HAT). */
import type { Value } from '../../compute/graph.js';
import type { Weight } from '../../compute/weight.js';
import type { WeightSource } from '../weights/weight-source.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import { readAbsolutePositions, type AbsolutePositions } from './absolute-positions.js';
import { hasAll, pictureGraph, type PictureLayers, type UpscaleFamily } from './network.js';
import {
  centred,
  gate,
  mlp,
  pointwiseLinear,
  readShuffleSteps,
  restored,
  rgbMean,
  shuffleSteps,
} from './picture-layers.js';
import { swinGroups, type BlockPlace } from './swin-groups.js';
import { splitThree, swinAttention, windowRegions, type WindowLayout } from './windows.js';

/** How much the convolutions beside a block's attention count; no file says. */
const convolutionScale = 0.01;
const group0 = 'layers.0.residual_group';

export const hat: UpscaleFamily = {
  name: 'HAT',
  recognises: (weights) =>
    hasAll(
      weights,
      ...['relative_position_index_SA', 'conv_first.weight', 'conv_last.weight'],
      ...[`${group0}.blocks.0.conv_block.cab.0.weight`, `${group0}.overlap_attn.qkv.weight`],
    ),
  read(weights) {
    const inputChannels = weights.weight('conv_first.weight').shape[1]!;
    const steps = readShuffleSteps(weights, 'upsample');
    const window = Math.sqrt(weights.weight('relative_position_index_SA').shape[0]!);
    const wide = Math.sqrt(weights.weight('relative_position_index_OCA').shape[1]!);
    const positions = readAbsolutePositions(weights);
    // Made for pictures of one window, which are not rolled.
    const rolls = positions === undefined || positions.pixels > window ** 2;
    const shift = rolls ? Math.floor(window / 2) : 0;
    const layout: WindowLayout = { height: window, width: window, shift: [shift, shift] };
    return {
      architecture: 'HAT',
      scale: steps.scale,
      inputChannels,
      outputChannels: weights.weight('conv_last.weight').shape[0]!,
      minimumSide: 16,
      multipleOf: 1,
      windowMultiple: window,
      extraInputs: ({ shape: [, , height = 0, width = 0] }) => ({
        regions: windowRegions(height, width, layout),
        ...positions?.input(height, width),
      }),
      graph: () =>
        pictureGraph('hat', inputChannels, weights, (nn, given) => {
          const { graph } = nn;
          const mean = rgbMean(inputChannels);
          const conv = (x: Value, path: string) => nn.conv2d(x, path, { padding: 1 });
          const shallow = conv(centred(graph, given, mean, 1), 'conv_first');
          const deep = features(nn, weights, shallow, { layout, wide, positions });
          const body = weights.has('conv_after_body.weight') ? conv(deep, 'conv_after_body') : deep;
          const before = conv(graph.add(body, shallow), 'conv_before_upsample.0');
          const enlarged = shuffleSteps(nn, graph.leakyRelu(before, 0.01), 'upsample', steps);
          return restored(graph, conv(enlarged, 'conv_last'), mean, 1);
        }),
    };
  },
};

interface Body {
  readonly layout: WindowLayout;
  /** The side of the windows that keys and values are of. */
  readonly wide: number;
  readonly positions: AbsolutePositions | undefined;
}

function features(
  nn: PictureLayers,
  weights: WeightSource,
  x: Value,
  { layout, wide, positions }: Body,
): Value {
  const { graph } = nn;
  return swinGroups(nn, weights, x, {
    layout,
    positions,
    embed: (picture) => graph.spatialToTokens(picture),
    block: (tokens, place) => hybridBlock(nn, weights, tokens, place),
    after: (tokens, path) => {
      const overlap = `${path}.residual_group.overlap_attn`;
      const mixed = overlappingAttention(nn, weights, tokens, x, overlap, layout.height, wide);
      if (!weights.has(`${path}.conv.weight`)) return mixed;
      const picture = graph.tokensToSpatial(mixed, x);
      return graph.spatialToTokens(nn.conv2d(picture, `${path}.conv`, { padding: 1 }));
    },
  });
}

function hybridBlock(nn: PictureLayers, weights: WeightSource, tokens: Value, place: BlockPlace): Value {
  const { graph } = nn;
  const { path, like, layout, regions } = place;
  const normed = graph.tokensToSpatial(nn.layerNorm(tokens, `${path}.norm1`), like);
  const cab = `${path}.conv_block.cab`;
  const narrow = graph.activation(nn.conv2d(normed, `${cab}.0`, { padding: 1 }), 'gelu');
  const convolved = gate(nn, nn.conv2d(narrow, `${cab}.2`, { padding: 1 }), (mean) =>
    pointwiseLinear(
      nn,
      weights,
      graph.activation(pointwiseLinear(nn, weights, mean, `${cab}.3.attention.1`), 'relu'),
      `${cab}.3.attention.3`,
    ),
  );
  const attended = swinAttention(nn, weights, normed, `${path}.attn`, layout, regions);
  const both = graph.add(attended, graph.scale(convolved, convolutionScale));
  const added = graph.add(graph.spatialToTokens(both), tokens);
  return graph.add(mlp(nn, nn.layerNorm(added, `${path}.norm2`), `${path}.mlp`), added);
}

/** Queries of each window, keys and values of a wider one around it. */
function overlappingAttention(
  nn: PictureLayers,
  weights: WeightSource,
  tokens: Value,
  like: Value,
  path: string,
  window: number,
  wide: number,
): Value {
  const { graph } = nn;
  const joined = nn.linear(nn.layerNorm(tokens, `${path}.norm1`), `${path}.qkv`);
  const [query, key, value] = splitThree(graph, joined).map((part) => graph.tokensToSpatial(part, like));
  const table = weights.weight(`${path}.relative_position_bias_table`);
  const heads = table.shape[1]!;
  const mixed = graph.windowAttention(
    graph.windows(query!, window, window),
    graph.wideWindows(key!, wide, window),
    graph.wideWindows(value!, wide, window),
    heads,
    {
      scale: ((query!.shape[1] as number) / heads) ** -0.5,
      bias: overlappingBias(table, window, wide),
    },
  );
  const picture = graph.spatialToTokens(graph.joinWindows(mixed, like, window, window));
  const added = graph.add(nn.linear(picture, `${path}.proj`), tokens);
  return graph.add(mlp(nn, nn.layerNorm(added, `${path}.norm2`), `${path}.mlp`), added);
}

/** heads×window²×wide², by spandrel's index, whose negative entries count from the table's end (HAT.calculate_rpi_oca). */
function overlappingBias(table: Weight, window: number, wide: number): Weight {
  const heads = table.shape[1]!;
  const [asking, asked] = [window ** 2, wide ** 2];
  const side = window + wide - 1;
  return computed(table.name, [heads, asking, asked], () => {
    const rows = valuesOf(table);
    const bias = new Float32Array(heads * asking * asked);
    const offset = window - wide + 1;
    for (let i = 0; i < asking; i++) {
      for (let j = 0; j < asked; j++) {
        const down = Math.floor(j / wide) - Math.floor(i / window) + offset;
        const right = (j % wide) - (i % window) + offset;
        const index = (down * side + right + side ** 2) % side ** 2;
        for (let head = 0; head < heads; head++) {
          bias[(head * asking + i) * asked + j] = rows[index * heads + head]!;
        }
      }
    }
    return bias;
  });
}
