/** SwinIR: residual groups of Swin transformer blocks (Liang et al., 2021; spandrel architectures/SwinIR). */
import type { Value } from '../../compute/graph.js';
import type { WeightSource } from '../weights/weight-source.js';
import { hasAll, pictureGraph, type PictureLayers, type UpscaleFamily } from './network.js';
import { centred, mlp, residualConnection, restored, rgbMean } from './picture-layers.js';
import { swinGroups, type BlockPlace } from './swin-groups.js';
import { readUpsampler } from './swin-upsampler.js';
import { swinAttention, windowRegions, type WindowLayout } from './windows.js';

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
            residualConnection(nn, weights, features(nn, weights, shallow, layout), 'conv_after_body'),
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

function features(nn: PictureLayers, weights: WeightSource, x: Value, layout: WindowLayout): Value {
  const { graph } = nn;
  return swinGroups(nn, weights, x, {
    layout,
    embed: (picture) => graph.spatialToTokens(picture),
    block: (tokens, place) => swinBlock(nn, weights, tokens, place),
    after: (tokens, path) =>
      graph.spatialToTokens(
        residualConnection(nn, weights, graph.tokensToSpatial(tokens, x), `${path}.conv`),
      ),
  });
}

function swinBlock(nn: PictureLayers, weights: WeightSource, tokens: Value, place: BlockPlace): Value {
  const { graph } = nn;
  const { path, like, layout, regions } = place;
  const picture = graph.tokensToSpatial(nn.layerNorm(tokens, `${path}.norm1`), like);
  const attended = swinAttention(nn, weights, picture, `${path}.attn`, layout, regions);
  const added = graph.add(graph.spatialToTokens(attended), tokens);
  return graph.add(mlp(nn, nn.layerNorm(added, `${path}.norm2`), `${path}.mlp`), added);
}
