/** Encoder and decoder, layer by layer (ComfyUI comfy/ldm/modules/diffusionmodules/model.py, Encoder and Decoder). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import { Layers } from '../programs/layers.js';
import type { WeightSource } from '../weights/weight-source.js';
import { rowSlice } from '../weights/weight-views.js';
import type { VaeConfig } from './config.js';

const normEpsilon = 1e-6;

/** SDXL's decoder leaves float16's range (sdxl-vae-fp16-fix is a decoder made not to). */
const WIDE = { range: 'wide' } as const;

function symbols(): readonly [SymbolicDim, SymbolicDim, SymbolicDim] {
  return [SymbolicDim.symbol('N'), SymbolicDim.symbol('H'), SymbolicDim.symbol('W')];
}

/** Input `latent` N×C×H×W; output `pixels` N×3×H'×W', about [−1, 1]. */
export function buildDecoderGraph(config: VaeConfig, weights: WeightSource): Graph {
  const graph = new GraphBuilder('vae decoder', WIDE);
  const layers = new Layers(graph, weights);
  const [n, h, w] = symbols();
  let x = graph.input('latent', [n, config.latentChannels, h, w]);
  if (config.quantised) x = layers.conv2d(x, 'post_quant_conv');
  x = layers.conv2d(x, 'decoder.conv_in', { padding: 1 });
  x = middle(layers, x, 'decoder.mid');
  for (let level = config.levels - 1; level >= 0; level--) {
    for (let block = 0; block <= config.residualBlocks; block++) {
      x = residualBlock(layers, x, `decoder.up.${level}.block.${block}`);
    }
    if (level > 0) {
      x = layers.conv2d(graph.upsampleNearest(x, 2), `decoder.up.${level}.upsample.conv`, { padding: 1 });
    }
  }
  x = layers.conv2d(normalised(layers, x, 'decoder.norm_out'), 'decoder.conv_out', { padding: 1 });
  graph.output('pixels', x);
  return graph.build();
}

/** Input `pixels` N×3×H×W in [−1, 1]; output `latent` N×C×H'×W', the mean of the distribution. */
export function buildEncoderGraph(config: VaeConfig, weights: WeightSource): Graph {
  const graph = new GraphBuilder('vae encoder', WIDE);
  const last = config.quantised ? 'quant_conv' : 'encoder.conv_out';
  const layers = new Layers(graph, meanOnly(weights, last, config.latentChannels));
  const [n, h, w] = symbols();
  let x = layers.conv2d(graph.input('pixels', [n, 3, h, w]), 'encoder.conv_in', { padding: 1 });
  for (let level = 0; level < config.levels; level++) {
    for (let block = 0; block < config.residualBlocks; block++) {
      x = residualBlock(layers, x, `encoder.down.${level}.block.${block}`);
    }
    if (level < config.levels - 1) {
      // Padded below and to the right alone, as the model was trained.
      x = layers.conv2d(x, `encoder.down.${level}.downsample.conv`, { stride: 2, padding: [0, 0, 1, 1] });
    }
  }
  x = middle(layers, x, 'encoder.mid');
  x = layers.conv2d(normalised(layers, x, 'encoder.norm_out'), 'encoder.conv_out', { padding: 1 });
  if (config.quantised) x = layers.conv2d(x, 'quant_conv');
  graph.output('latent', x);
  return graph.build();
}

/** The last layer yields means, then log-variances; nobody asks for the latter, so their rows are left out. */
function meanOnly(weights: WeightSource, last: string, channels: number): WeightSource {
  return {
    path: weights.path,
    identity: weights.identity,
    keys: () => weights.keys(),
    has: (key) => weights.has(key),
    weight: (key) =>
      key.startsWith(`${last}.`) ? rowSlice(weights.weight(key), 0, channels) : weights.weight(key),
    rows: (key, start, count) => weights.rows(key, start, count),
  };
}

function middle(layers: Layers, x: Value, path: string): Value {
  const first = residualBlock(layers, x, `${path}.block_1`);
  return residualBlock(layers, attentionBlock(layers, first, `${path}.attn_1`), `${path}.block_2`);
}

function residualBlock(layers: Layers, x: Value, path: string): Value {
  const { graph } = layers;
  let hidden = layers.conv2d(normalised(layers, x, `${path}.norm1`), `${path}.conv1`, { padding: 1 });
  hidden = layers.conv2d(normalised(layers, hidden, `${path}.norm2`), `${path}.conv2`, { padding: 1 });
  const skip = x.shape[1] === hidden.shape[1] ? x : layers.conv2d(x, `${path}.nin_shortcut`);
  return graph.within(path, () => graph.add(skip, hidden));
}

/** One head over all pixels. */
function attentionBlock(layers: Layers, x: Value, path: string): Value {
  const { graph } = layers;
  const hidden = layers.groupNorm(x, `${path}.norm`, normEpsilon);
  const [query, key, value] = ['q', 'k', 'v'].map((part) =>
    graph.spatialToTokens(layers.conv2d(hidden, `${path}.${part}`)),
  ) as [Value, Value, Value];
  const mixed = graph.within(path, () => graph.attention(query, key, value, 1));
  return graph.add(x, layers.conv2d(graph.tokensToSpatial(mixed, x), `${path}.proj_out`));
}

function normalised(layers: Layers, x: Value, path: string): Value {
  return layers.graph.activation(layers.groupNorm(x, path, normEpsilon), 'silu');
}
