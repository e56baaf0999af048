/** CodeFormer (facerestore_cf basicsr/archs/codeformer_arch.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { Layers } from '../../programs/layers.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { rowSlice } from '../../weights/weight-views.js';
import { attentionBlock, DOWNSAMPLE_PADDING, normalised, residualBlock } from './vqgan.js';

/** Nothing in a file says how many; the models have 8. */
const HEADS = 8;
const SLOPE = 0.2;

/** By the side of their features: after which blocks of encoder and generator they are fused. */
const FUSED_BLOCKS: Readonly<Record<string, readonly [encoder: number, generator: number]>> = {
  512: [2, 21],
  256: [5, 18],
  128: [8, 15],
  64: [11, 12],
  32: [14, 9],
  16: [18, 6],
};

export function isCodeFormer(weights: WeightSource): boolean {
  return weights.has('position_emb') && weights.has('ft_layers.0.self_attn.in_proj_weight');
}

/**
 * Input `pixels` N×3×512×512, red, green, blue in [−1, 1], and with `fused` the scalar `fidelity` as 1×1×1×1: how much of the input's
 * own features reaches the output. Output `restored` of the same shape.
 */
export function buildCodeFormer(weights: WeightSource, fused: boolean): Graph {
  const graph = new GraphBuilder('codeformer');
  const layers = new Layers(graph, weights);
  const n = SymbolicDim.symbol('N');
  const pixels = graph.input('pixels', [n, 3, 512, 512]);
  const fidelity = fused ? graph.input('fidelity', [1, 1, 1, 1]) : undefined;
  const sizes = fused ? Object.keys(FUSED_BLOCKS).filter((size) => hasFusion(weights, size)) : [];
  const kept = new Map<string, Value>();
  const encoded = blocks(layers, weights, pixels, 'encoder', (x, index) => {
    const size = sizes.find((name) => FUSED_BLOCKS[name]![0] === index);
    if (size !== undefined) kept.set(size, x);
    return x;
  });
  const quantised = graph.tokensToSpatial(
    graph.selectRows(codeScores(layers, weights, encoded), weights.weight('quantize.embedding.weight')),
    encoded,
  );
  const restored = blocks(layers, weights, quantised, 'generator', (x, index) => {
    const size = sizes.find((name) => FUSED_BLOCKS[name]![1] === index);
    if (size === undefined || fidelity === undefined) return x;
    return fuse(layers, { encoded: kept.get(size)!, decoded: x, fidelity }, `fuse_convs_dict.${size}`);
  });
  graph.output('restored', restored);
  return graph.build();
}

function hasFusion(weights: WeightSource, size: string): boolean {
  return weights.has(`fuse_convs_dict.${size}.scale.0.weight`);
}

/** The encoder's or generator's blocks, told apart by their keys; `after` sees each one's result. */
function blocks(
  layers: Layers,
  weights: WeightSource,
  input: Value,
  part: 'encoder' | 'generator',
  after: (x: Value, index: number) => Value,
): Value {
  const { graph } = layers;
  const block = (x: Value, path: string): Value => {
    if (weights.has(`${path}.conv1.weight`)) return residualBlock(layers, x, path, 'conv_out');
    if (weights.has(`${path}.q.weight`)) {
      const hidden = normalised(layers, x, `${path}.norm`);
      return attentionBlock(layers, x, { asking: hidden, hidden }, path, 1);
    }
    if (weights.has(`${path}.conv.weight`)) {
      return part === 'encoder'
        ? layers.conv2d(x, `${path}.conv`, { stride: 2, padding: DOWNSAMPLE_PADDING })
        : layers.conv2d(graph.upsampleNearest(x, 2), `${path}.conv`, { padding: 1 });
    }
    if (weights.weight(`${path}.weight`).shape.length === 1) return normalised(layers, x, path);
    return layers.conv2d(x, path, { padding: 1 });
  };
  let x = input;
  const count = countOf(weights, `${part}.blocks`);
  for (let index = 0; index < count; index++) x = after(block(x, `${part}.blocks.${index}`), index);
  return x;
}

/** What each code of the book is worth at each place, N×T×K. */
function codeScores(layers: Layers, weights: WeightSource, encoded: Value): Value {
  const { graph } = layers;
  let x = layers.linear(graph.spatialToTokens(encoded), 'feat_emb');
  const count = countOf(weights, 'ft_layers');
  for (let index = 0; index < count; index++) {
    const path = `ft_layers.${index}`;
    x = graph.add(
      x,
      selfAttention(layers, weights, layers.layerNorm(x, `${path}.norm1`), `${path}.self_attn`),
    );
    const hidden = layers.linear(layers.layerNorm(x, `${path}.norm2`), `${path}.linear1`);
    x = graph.add(x, layers.linear(graph.activation(hidden, 'gelu'), `${path}.linear2`));
  }
  return layers.linear(layers.layerNorm(x, 'idx_pred_layer.0'), 'idx_pred_layer.1');
}

/** Places are added to what asks and what is asked, not to what is read. */
function selfAttention(layers: Layers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = layers;
  const placed = graph.addRows(x, weights.weight('position_emb'));
  const width = weights.weight(`${path}.out_proj.weight`).shape[0]!;
  const part = (value: Value, index: number) =>
    graph.within(path, () =>
      graph.linear(
        value,
        rowSlice(weights.weight(`${path}.in_proj_weight`), index * width, width),
        rowSlice(weights.weight(`${path}.in_proj_bias`), index * width, width),
      ),
    );
  const mixed = graph.attention(part(placed, 0), part(placed, 1), part(x, 2), HEADS);
  return layers.linear(mixed, `${path}.out_proj`);
}

/** Adds the encoder's features, scaled and shifted, to the generator's: Fuse_sft_block. */
function fuse(
  layers: Layers,
  {
    encoded,
    decoded,
    fidelity,
  }: { readonly encoded: Value; readonly decoded: Value; readonly fidelity: Value },
  path: string,
): Value {
  const { graph } = layers;
  const both = residualBlock(layers, graph.concat([encoded, decoded], 1), `${path}.encode_enc`, 'conv_out');
  const part = (name: string) => {
    const hidden = layers.conv2d(both, `${path}.${name}.0`, { padding: 1 });
    return layers.conv2d(graph.leakyRelu(hidden, SLOPE), `${path}.${name}.2`, { padding: 1 });
  };
  const change = graph.add(graph.multiply(decoded, part('scale')), part('shift'));
  return graph.add(decoded, graph.multiply(change, fidelity));
}
