/** SwinIR: residual groups of Swin transformer blocks (Liang et al., 2021; spandrel architectures/SwinIR). */
import type { Value } from '../../compute/graph.js';
import type { PictureGraph } from '../../compute/picture-graph.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weight-source.js';
import { underPrefix } from '../weight-views.js';
import { hasAll, pictureGraph, sequenceLength, type PictureLayers, type UpscaleFamily } from './network.js';
import {
  centred,
  mlp,
  readShuffleSteps,
  residualConnection,
  restored,
  rgbMean,
  shuffleSteps,
} from './picture-layers.js';
import { inWindows, relativeBias, splitThree, windowRegions, type WindowLayout } from './windows.js';

const block0 = 'layers.0.residual_group.blocks.0';

export const swinIr: UpscaleFamily = {
  name: 'SwinIR',
  recognises: (weights) =>
    (weights.has('conv_first.weight') || weights.has('conv_first.1.weight')) &&
    hasAll(
      weights,
      ...[`${block0}.norm1.weight`, `${block0}.attn.qkv.weight`, `${block0}.attn.proj.weight`],
      ...[`${block0}.attn.relative_position_bias_table`, `${block0}.mlp.fc1.weight`],
    ) &&
    !weights.has('conv_first_ffc.weight') &&
    !weights.has('relative_position_index_SA'),
  read(weights) {
    const first = weights.has('conv_first.1.weight') ? 'conv_first.1' : 'conv_first';
    const inputs = weights.weight(`${first}.weight`).shape[1]!;
    const unshuffle = first === 'conv_first' ? 1 : Math.round(Math.sqrt(inputs / 3));
    const inputChannels = inputs / unshuffle ** 2;
    if (weights.has('absolute_pos_embed')) {
      throw new ModelError(
        `${weights.path} has positions for one size of picture alone (absolute_pos_embed)`,
      );
    }
    const window = windowSide(weights);
    const upsampler = readUpsampler(weights, inputChannels);
    const scale = upsampler.scale / unshuffle;
    const outputChannels = weights.has('conv_last.weight')
      ? weights.weight('conv_last.weight').shape[0]!
      : inputChannels;
    const range = window === 7 ? 255 : 1;
    const shift = Math.floor(window / 2);
    const layout: WindowLayout = { height: window, width: window, shift: [shift, shift] };
    return {
      architecture: 'SwinIR',
      scale,
      inputChannels,
      outputChannels,
      minimumSide: 16,
      multipleOf: unshuffle ** 2,
      windowMultiple: window * unshuffle,
      extraInputs: (height, width) => ({
        regions: windowRegions(height / unshuffle, width / unshuffle, layout),
      }),
      graph: () =>
        pictureGraph('swinir', inputChannels, weights, (nn, given) => {
          const { graph } = nn;
          const mean = rgbMean(inputChannels);
          const whole = centred(graph, given, mean, range);
          const x = unshuffle === 1 ? whole : graph.pixelUnshuffle(whole, unshuffle);
          const shallow = nn.conv2d(x, first, { padding: 1 });
          const deep = graph.add(
            residualConnection(nn, weights, swinFeatures(nn, weights, shallow, layout), 'conv_after_body'),
            shallow,
          );
          const y = upsampler.build(nn, deep);
          return restored(graph, upsampler.kind === '' ? graph.add(x, y) : y, mean, range);
        }),
    };
  },
};

/** 8, and 7 in the models for JPEG pictures: from the index of relative positions, or the table of them. */
function windowSide(weights: WeightSource): number {
  const table = weights.weight(`${block0}.attn.relative_position_bias_table`).shape[0]!;
  return (Math.sqrt(table) + 1) / 2;
}

interface Upsampler {
  readonly kind: 'nearest+conv' | 'pixelshuffle' | 'pixelshuffledirect' | '';
  readonly scale: number;
  readonly build: (nn: PictureLayers, x: Value) => Value;
}

function readUpsampler(weights: WeightSource, outputChannels: number): Upsampler {
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

function swinFeatures(nn: PictureLayers, weights: WeightSource, x: Value, layout: WindowLayout): Value {
  const { graph } = nn;
  const regions = regionsOf(graph, x, layout);
  let tokens = graph.spatialToTokens(x);
  if (weights.has('patch_embed.norm.weight')) tokens = nn.layerNorm(tokens, 'patch_embed.norm');
  const layers = sequenceLength(weights, 'layers');
  for (let layer = 0; layer < layers; layer++) {
    const group = `layers.${layer}.residual_group.blocks`;
    let inner = tokens;
    for (let block = 0; block < sequenceLength(weights, group); block++) {
      const own: WindowLayout = block % 2 === 0 ? { ...layout, shift: [0, 0] } : layout;
      inner = swinBlock(
        nn,
        weights,
        inner,
        x,
        `${group}.${block}`,
        own,
        block % 2 === 0 ? undefined : regions,
      );
    }
    const picture = residualConnection(nn, weights, graph.tokensToSpatial(inner, x), `layers.${layer}.conv`);
    tokens = graph.add(graph.spatialToTokens(picture), tokens);
  }
  return graph.tokensToSpatial(nn.layerNorm(tokens, 'norm'), x);
}

/** The regions of rolled windows, an input of the graph beside the picture: windows×T×1. */
export function regionsOf(graph: PictureGraph, like: Value, { height, width }: WindowLayout): Value {
  const [, , rows, columns] = like.shape;
  return graph.windows(graph.input('regions', [1, 1, rows!, columns!]), height, width);
}

function swinBlock(
  nn: PictureLayers,
  weights: WeightSource,
  tokens: Value,
  like: Value,
  path: string,
  layout: WindowLayout,
  regions: Value | undefined,
): Value {
  const { graph } = nn;
  const own = underPrefix(weights, `${path}.attn.`);
  const table = own.weight('relative_position_bias_table');
  const heads = table.shape[1]!;
  const picture = graph.tokensToSpatial(nn.layerNorm(tokens, `${path}.norm1`), like);
  const attended = inWindows(graph, picture, layout, (windows) => {
    const joined = nn.linear(windows, `${path}.attn.qkv`);
    const [query, key, value] = splitThree(graph, joined);
    const mixed = graph.windowAttention(query, key, value, heads, {
      scale: ((query.shape[2] as number) / heads) ** -0.5,
      bias: relativeBias(table, layout.height, layout.width),
      regions,
    });
    return nn.linear(mixed, `${path}.attn.proj`);
  });
  const added = graph.add(graph.spatialToTokens(attended), tokens);
  return graph.add(mlp(nn, nn.layerNorm(added, `${path}.norm2`), `${path}.mlp`), added);
}
