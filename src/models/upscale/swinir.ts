/** SwinIR: residual groups of Swin transformer blocks (Liang et al., 2021; spandrel architectures/SwinIR). */
import type { Value } from '../../compute/graph.js';
import type { WeightSource } from '../weight-source.js';
import { hasAll, pictureGraph, sequenceLength, type PictureLayers, type UpscaleFamily } from './network.js';
import { centred, mlp, residualConnection, restored, rgbMean } from './picture-layers.js';
import { readUpsampler } from './swin-upsampler.js';
import { regionsOf, swinAttention, windowRegions, type WindowLayout } from './windows.js';

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
      extraInputs: ({ shape: [, , height = 0, width = 0] }) => ({
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
  const picture = graph.tokensToSpatial(nn.layerNorm(tokens, `${path}.norm1`), like);
  const attended = swinAttention(nn, weights, picture, `${path}.attn`, layout, regions);
  const added = graph.add(graph.spatialToTokens(attended), tokens);
  return graph.add(mlp(nn, nn.layerNorm(added, `${path}.norm2`), `${path}.mlp`), added);
}
