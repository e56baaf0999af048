/** Swin2SR: Swin transformer blocks of the second version (Conde et al., 2022; spandrel architectures/Swin2SR). */
import { multiplyDims } from '../../compute/dim.js';
import type { Value } from '../../compute/graph.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { Weight } from '../../compute/weight.js';
import { resize } from '../../native/addon.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import { readAbsolutePositions, type AbsolutePositions } from './absolute-positions.js';
import { hasAll, pictureGraph, type PictureLayers, type UpscaleFamily } from './network.js';
import {
  centred,
  mlp,
  readShuffleSteps,
  residualConnection,
  restored,
  rgbMean,
  shuffleSteps,
} from './picture-layers.js';
import { swinGroups, type BlockPlace } from './swin-groups.js';
import { readUpsampler } from './swin-upsampler.js';
import { inWindows, relativeIndex, splitThree, windowRegions, type WindowLayout } from './windows.js';

const block0 = 'layers.0.residual_group.blocks.0';
/** ln(1/0.01), the most that a head's logarithmic scale may be. */
const mostLogitScale = Math.log(100);

export const swin2Sr: UpscaleFamily = {
  name: 'Swin2SR',
  recognises: (weights) =>
    hasAll(weights, 'patch_embed.proj.weight', 'conv_first.weight', `${block0}.attn.logit_scale`),
  read(weights) {
    refuseOddKinds(weights);
    const [, inputChannels = 0] = weights.weight('conv_first.weight').shape;
    const positions = readAbsolutePositions(weights);
    const upsampler = readUpsampler(weights, inputChannels);
    // Models for compressed pictures add the picture itself, enlarged the plain way.
    const auxiliary = weights.has('conv_bicubic.weight');
    const window = Math.sqrt(weights.weight(`${block0}.attn.relative_position_index`).shape[0]!);
    const range = window === 7 ? 255 : 1;
    // A file without masks was made for pictures of one window, which are not rolled.
    const rolls = [...weights.keys()].some((key) => key.endsWith('.attn_mask'));
    const shift = rolls ? Math.floor(window / 2) : 0;
    const layout: WindowLayout = { height: window, width: window, shift: [shift, shift] };
    return {
      architecture: 'Swin2SR',
      scale: upsampler.scale,
      inputChannels,
      outputChannels: inputChannels,
      minimumSide: 16,
      multipleOf: 1,
      windowMultiple: window,
      extraInputs: (x, unpadded) => ({
        regions: windowRegions(x.shape[2]!, x.shape[3]!, layout),
        ...positions?.input(x.shape[2]!, x.shape[3]!),
        ...(auxiliary ? { bicubic: bicubicOf(x, unpadded, upsampler.scale) } : {}),
      }),
      graph: () =>
        pictureGraph('swin2sr', inputChannels, weights, (nn, given) => {
          const { graph } = nn;
          const mean = rgbMean(inputChannels);
          const x = centred(graph, given, mean, range);
          const shallow = nn.conv2d(x, 'conv_first', { padding: 1 });
          const deep = residualConnection(
            nn,
            weights,
            features(nn, weights, shallow, layout, positions),
            'conv_after_body',
          );
          const joined = graph.add(deep, shallow);
          if (auxiliary) return restored(graph, auxiliaryPicture(nn, weights, joined, range), mean, range);
          const y = upsampler.build(nn, joined);
          return restored(graph, upsampler.kind === '' ? graph.add(x, y) : y, mean, range);
        }),
    };
  },
};

/** Throws `ModelError` for what spandrel loads and can't run, or doesn't load. */
function refuseOddKinds(weights: WeightSource): void {
  const patch = weights.weight('patch_embed.proj.weight').shape[2]!;
  if (patch !== 1) {
    throw new ModelError(`${weights.path} is a Swin2SR of patches of ${patch}×${patch}, only 1×1 is known`);
  }
  if (weights.has('conv_after_body_hf.weight')) {
    // Swin2SR.forward returns three pictures for these, which ImageModelDescriptor.__call__ doesn't take.
    throw new ModelError(
      `${weights.path} is a Swin2SR with a branch for high frequencies (pixelshuffle_hf), which ComfyUI can't run either`,
    );
  }
}

/** What is enlarged is the padded picture, to the size that the unpadded one will have, as spandrel does. */
function bicubicOf(x: Tensor, unpadded: readonly number[], scale: number): Tensor {
  const [, channels = 0, height = 0, width = 0] = x.shape;
  const [, , ownHeight = 0, ownWidth = 0] = unpadded;
  const size = [ownHeight * scale, ownWidth * scale] as const;
  return tensor([1, channels, ...size], resize(x.data, channels, 1, height, width, ...size, 'bicubic'));
}

/** A small picture first, of which the large one is made beside the bicubic one. */
function auxiliaryPicture(nn: PictureLayers, weights: WeightSource, features: Value, range: number): Value {
  const { graph } = nn;
  const channels = weights.weight('conv_bicubic.weight').shape[1]!;
  const conv = (x: Value, path: string): Value => nn.conv2d(x, path, { padding: 1 });
  const steps = readShuffleSteps(weights, 'upsample');
  // Less where the picture was padded, but named by what it is at most.
  const size = [features.shape[2]!, features.shape[3]!].map((extent) => multiplyDims(extent, steps.scale));
  const bicubic = graph.input('bicubic', [1, channels, ...size]);
  const plain = conv(centred(graph, bicubic, rgbMean(channels), range), 'conv_bicubic');
  const small = conv(graph.leakyRelu(conv(features, 'conv_before_upsample.0'), 0.01), 'conv_aux');
  const wide = graph.leakyRelu(conv(small, 'conv_after_aux.0'), 0.01);
  const enlarged = graph.cropLike(shuffleSteps(nn, wide, 'upsample', steps), plain);
  return conv(graph.add(enlarged, plain), 'conv_last');
}

function features(
  nn: PictureLayers,
  weights: WeightSource,
  x: Value,
  layout: WindowLayout,
  positions: AbsolutePositions | undefined,
): Value {
  const { graph } = nn;
  const embed = (picture: Value, path: string): Value =>
    graph.spatialToTokens(nn.conv2d(picture, `${path}.proj`));
  return swinGroups(nn, weights, x, {
    layout,
    positions,
    embed: (picture) => embed(picture, 'patch_embed'),
    block: (tokens, place) => swinBlock(nn, weights, tokens, place),
    after: (tokens, path) =>
      embed(
        residualConnection(nn, weights, graph.tokensToSpatial(tokens, x), `${path}.conv`),
        `${path}.patch_embed`,
      ),
  });
}

/** Norms come after attention and after the MLP. */
function swinBlock(nn: PictureLayers, weights: WeightSource, tokens: Value, place: BlockPlace): Value {
  const { graph } = nn;
  const { path, like, layout, regions } = place;
  const picture = graph.tokensToSpatial(tokens, like);
  const attended = inWindows(graph, picture, layout, (windows) =>
    cosineAttention(nn, weights, windows, `${path}.attn`, layout, regions),
  );
  const added = graph.add(nn.layerNorm(graph.spatialToTokens(attended), `${path}.norm1`), tokens);
  return graph.add(nn.layerNorm(mlp(nn, added, `${path}.mlp`), `${path}.norm2`), added);
}

function cosineAttention(
  nn: PictureLayers,
  weights: WeightSource,
  windows: Value,
  path: string,
  layout: WindowLayout,
  regions: Value | undefined,
): Value {
  const { graph } = nn;
  const joined = graph.within(`${path}.qkv`, () =>
    graph.linear(windows, weights.weight(`${path}.qkv.weight`), joinedBias(weights, path)),
  );
  const [query, key, value] = splitThree(graph, joined);
  const logits = weights.weight(`${path}.logit_scale`);
  const heads = logits.shape[0]!;
  const width = query.shape[2] as number;
  const scales = computed(logits.name, [width], () => {
    const values = valuesOf(logits).map((logit) => Math.exp(Math.min(logit, mostLogitScale)));
    return Float32Array.from({ length: width }, (_, at) => values[Math.floor((at * heads) / width)]!);
  });
  const mixed = graph.windowAttention(
    graph.scaleFeatures(graph.normalizeHeads(query, heads), scales),
    graph.normalizeHeads(key, heads),
    value,
    heads,
    { scale: 1, bias: continuousBias(weights, path, layout, heads), regions },
  );
  return nn.linear(mixed, `${path}.proj`);
}

/** Queries and values have biases, keys have none. */
function joinedBias(weights: WeightSource, path: string): Weight | undefined {
  if (!weights.has(`${path}.q_bias`)) return undefined;
  const [query, value] = ['q_bias', 'v_bias'].map((name) => weights.weight(`${path}.${name}`));
  const features = query!.shape[0]!;
  return computed(`${path}.q_bias`, [3 * features], () => {
    const bias = new Float32Array(3 * features);
    bias.set(valuesOf(query!));
    bias.set(valuesOf(value!), 2 * features);
    return bias;
  });
}

/** 16·σ of a small network's answer to each relative position, heads×T×T (Swin V2's continuous position bias). */
function continuousBias(weights: WeightSource, path: string, layout: WindowLayout, heads: number): Weight {
  const { height, width } = layout;
  const tokens = height * width;
  const index = relativeIndex(height, width);
  const layers = ['0.weight', '0.bias', '2.weight'].map((name) => weights.weight(`${path}.cpb_mlp.${name}`));
  const places = relativePlaces(weights, `${path}.relative_coords_table`, layout);
  return computed(`${path}.cpb_mlp`, [heads, tokens, tokens], () => {
    const [first, offset, second] = layers.map(valuesOf);
    const hidden = offset!.length;
    const table = places();
    const rows = Array.from({ length: table.length / 2 }, (_, place) => {
      const [y, x] = table.subarray(2 * place);
      const inner = Float64Array.from({ length: hidden }, (_, unit) =>
        Math.max(first![2 * unit]! * y! + first![2 * unit + 1]! * x! + offset![unit]!, 0),
      );
      return Float64Array.from({ length: heads }, (_, head) => {
        const sum = inner.reduce((total, value, unit) => total + value * second![head * hidden + unit]!, 0);
        return 16 / (1 + Math.exp(-sum));
      });
    });
    const bias = new Float32Array(heads * tokens * tokens);
    for (let i = 0; i < tokens; i++) {
      for (let j = 0; j < tokens; j++) {
        const row = rows[index(i, j)]!;
        for (let head = 0; head < heads; head++) bias[(head * tokens + i) * tokens + j] = row[head]!;
      }
    }
    return bias;
  });
}

/**
 * Relative positions on a logarithmic scale, as pairs of y and x. A file's own table counts, as it does for torch: stored in half
 * precision, it is another one.
 */
function relativePlaces(
  weights: WeightSource,
  key: string,
  { height, width }: WindowLayout,
): () => Float32Array {
  if (weights.has(key)) {
    const table = weights.weight(key);
    const expected = [1, 2 * height - 1, 2 * width - 1, 2];
    if (table.shape.join() !== expected.join()) {
      throw new ModelError(
        `${weights.path}: ${key} has shape [${table.shape.join(', ')}], should have [${expected.join(', ')}]`,
      );
    }
    return () => valuesOf(table);
  }
  const scaled = (index: number, side: number): number => {
    const step = ((index - side + 1) / (side - 1)) * 8;
    return (Math.sign(step) * Math.log2(Math.abs(step) + 1)) / 3;
  };
  const columns = 2 * width - 1;
  return () =>
    Float32Array.from({ length: 2 * (2 * height - 1) * columns }, (_, at) => {
      const place = at >> 1;
      return at % 2 === 0 ? scaled(Math.floor(place / columns), height) : scaled(place % columns, width);
    });
}
