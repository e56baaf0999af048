/**
 * HiDream-I1 and E1 (2025): two streams, then one, whose feed-forward layers are mixtures of experts; each block sees another layer of Llama's
 * (ComfyUI comfy/ldm/hidream/model.py).
 */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import type { Angles } from '../../../compute/operations/rotary.js';
import { elementCount, tensor, type Tensor } from '../../../compute/tensor.js';
import { joinedAlong, partAlong } from '../../../imaging/along-axis.js';
import type { Evaluation, Network } from '../../denoiser/denoiser.js';
import { timestepEmbedding } from '../../denoiser/timestep-embedding.js';
import { ModelError } from '../../model-error.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { checkContext } from '../context.js';
import { TransformerLayers } from '../layers.js';
import { transformerNetwork, type TransformerPlan } from '../network.js';
import { fromPatches, gridOf, toPatches, tokenCount } from '../patches.js';
import { angleTables, gridPositions, positions } from '../positions.js';

export interface HiDreamSizes {
  readonly width: number;
  readonly heads: number;
  readonly doubleBlocks: number;
  readonly singleBlocks: number;
  readonly contextWidth: number;
  readonly llamaWidth: number;
  readonly pooledWidth: number;
  /** Of a latent pixel. */
  readonly channels: number;
}

interface Variant {
  /** Layers of Llama that the conditioning has. */
  readonly llamaLayers: number;
}

const HEAD_WIDTH = 128;
const SINUSOID_WIDTH = 256;
const EPSILON = 1e-5;
/** Experts that a token passes. */
const ACTIVE_EXPERTS = 2;
const axes = { widths: [64, 32, 32], theta: 10000 } as const;
const patching = { size: 2, order: 'channels last' } as const;

export function detectHiDream(weights: WeightSource): HiDreamSizes | undefined {
  const extent = (key: string, axis: number) =>
    weights.has(key) ? weights.weight(key).shape[axis] : undefined;
  const llamaWidth = extent('caption_projection.0.linear.weight', 1);
  const [width, values] = weights.has('x_embedder.proj.weight')
    ? weights.weight('x_embedder.proj.weight').shape
    : [];
  const pooledWidth = extent('p_embedder.pooled_embedder.linear_1.weight', 1);
  if (llamaWidth === undefined || pooledWidth === undefined || width === undefined || values === undefined) {
    return undefined;
  }
  const doubleBlocks = countOf(weights, 'double_stream_blocks');
  const singleBlocks = countOf(weights, 'single_stream_blocks');
  const contextWidth = extent(`caption_projection.${doubleBlocks + singleBlocks}.linear.weight`, 1);
  if (contextWidth === undefined) return undefined;
  return {
    ...{ width, heads: width / HEAD_WIDTH, doubleBlocks, singleBlocks },
    ...{ contextWidth, llamaWidth, pooledWidth, channels: values / patching.size ** 2 },
  };
}

/**
 * Its inputs are `context` (N×T×C, T5's), `llama` (N×L×T'×C, of all of its layers), `pooled` (N×C), and `concat`, a picture that is edited (N×C×h×w),
 * to the right of the one that is made.
 */
export function hiDreamNetwork(config: HiDreamSizes): Network {
  return transformerNetwork<Variant>({
    name: 'hidream',
    plain: { llamaLayers: 32 },
    graph: (weights, variant) => buildGraph(config, weights, variant),
    plan: (evaluation) => planHiDream(config, evaluation),
  });
}

/** Block i sees layer i, and those beyond the last one that. */
function layerOf(block: number, { llamaLayers }: Variant): number {
  return Math.min(block, llamaLayers - 1);
}

function buildGraph(config: HiDreamSizes, weights: WeightSource, variant: Variant): Graph {
  const graph = new GraphBuilder('hidream', { mayRound: true, range: 'wide' });
  const layers = new TransformerLayers(graph, weights);
  const [batch, image, text, llama] = ['batch', 'image', 'text', 'llama'].map((name) =>
    SymbolicDim.symbol(name),
  ) as [SymbolicDim, SymbolicDim, SymbolicDim, SymbolicDim];
  const { width, heads, doubleBlocks, singleBlocks } = config;
  const blocks = doubleBlocks + singleBlocks;
  const time = graph.activation(
    graph.add(
      layers.mlp(
        graph.input('time', [batch, SINUSOID_WIDTH]),
        't_embedder.timestep_embedder.linear_1',
        't_embedder.timestep_embedder.linear_2',
        'silu',
      ),
      layers.mlp(
        graph.input('pooled', [batch, config.pooledWidth]),
        'p_embedder.pooled_embedder.linear_1',
        'p_embedder.pooled_embedder.linear_2',
        'silu',
      ),
    ),
    'silu',
  );
  const values = config.channels * patching.size ** 2;
  let x = layers.linear(graph.input('image', [batch, image, values]), 'x_embedder.proj');
  const states = Array.from({ length: Math.min(blocks, variant.llamaLayers) }, (_, layer) =>
    graph.input(`llama.${layer}`, [batch, llama, config.llamaWidth]),
  );
  const projected = (source: Value, index: number) =>
    layers.linear(source, `caption_projection.${index}.linear`);
  const seen = (block: number) => projected(states[layerOf(block, variant)]!, block);
  const t5 = projected(graph.input('context', [batch, text, config.contextWidth]), blocks);
  let words = graph.concat([t5, seen(blocks - 1)], 1);
  const own = words;
  const all = graph.concat([x, words, states[0]!.shape[2] === width ? states[0]! : seen(0)], 1).shape[1]!;
  const angles = {
    cosines: graph.input('cosines', [1, all, HEAD_WIDTH / 2]),
    sines: graph.input('sines', [1, all, HEAD_WIDTH / 2]),
  };
  const options = { heads, angles, time };
  for (let index = 0; index < doubleBlocks; index++) {
    const path = `double_stream_blocks.${index}.block`;
    const given = { image: x, words: graph.concat([words, seen(index)], 1) };
    const made = layers.within(path, () => doubleBlock(layers, path, given, options));
    x = made.image;
    words = graph.takeTokens(made.words, own, 'first');
  }
  const ownImage = x;
  let joined = graph.concat([x, words], 1);
  const kept = joined;
  for (let index = 0; index < singleBlocks; index++) {
    const path = `single_stream_blocks.${index}.block`;
    const given = graph.concat([joined, seen(doubleBlocks + index)], 1);
    const made = layers.within(path, () => singleBlock(layers, path, given, options));
    joined = graph.takeTokens(made, kept, 'first');
  }
  const [shift, scale] = layers.chunks(time, 'final_layer.adaLN_modulation.1', 2);
  const normed = graph.modulate(
    layers.plainLayerNorm(graph.takeTokens(joined, ownImage, 'first')),
    scale!,
    shift,
  );
  graph.output('out', layers.linear(normed, 'final_layer.linear'));
  return graph.build();
}

interface BlockOptions {
  readonly heads: number;
  readonly angles: Angles;
  readonly time: Value;
}

interface Streams {
  readonly image: Value;
  readonly words: Value;
}

function doubleBlock(
  layers: TransformerLayers,
  path: string,
  { image, words }: Streams,
  { heads, angles, time }: BlockOptions,
): Streams {
  const { graph } = layers;
  // Shift, scale and gate of attention and of the feed-forward layers, of the image and then of the words.
  const by = layers.chunks(time, `${path}.adaLN_modulation.1`, 12);
  const normed = (x: Value, first: number) =>
    graph.modulate(layers.plainLayerNorm(x), by[first + 1]!, by[first]);
  const attn = `${path}.attn1`;
  const ofImage = projections(layers, attn, normed(image, 0), '');
  const ofWords = projections(layers, attn, normed(words, 6), '_t');
  const joined = ofImage.map((part, index) => graph.concat([part, ofWords[index]!], 1));
  const attended = attend(layers, joined, { heads, angles });
  const imageAfter = graph.add(
    image,
    graph.gate(layers.linear(graph.takeTokens(attended, image, 'first'), `${attn}.to_out`), by[2]!),
  );
  const wordsAfter = graph.add(
    words,
    graph.gate(layers.linear(graph.takeTokens(attended, words, 'last'), `${attn}.to_out_t`), by[8]!),
  );
  return {
    image: graph.add(imageAfter, graph.gate(mixture(layers, `${path}.ff_i`, normed(imageAfter, 3)), by[5]!)),
    words: graph.add(
      wordsAfter,
      graph.gate(feedForward(layers, `${path}.ff_t`, normed(wordsAfter, 9)), by[11]!),
    ),
  };
}

function singleBlock(
  layers: TransformerLayers,
  path: string,
  x: Value,
  { heads, angles, time }: BlockOptions,
): Value {
  const { graph } = layers;
  const by = layers.chunks(time, `${path}.adaLN_modulation.1`, 6);
  const normed = (value: Value, first: number) =>
    graph.modulate(layers.plainLayerNorm(value), by[first + 1]!, by[first]);
  const attn = `${path}.attn1`;
  const attended = attend(layers, projections(layers, attn, normed(x, 0), ''), { heads, angles });
  const after = graph.add(x, graph.gate(layers.linear(attended, `${attn}.to_out`), by[2]!));
  return graph.add(after, graph.gate(mixture(layers, `${path}.ff_i`, normed(after, 3)), by[5]!));
}

/** Query, key and value; the norms are over all heads together. */
function projections(layers: TransformerLayers, attn: string, x: Value, of: '' | '_t'): Value[] {
  const normed = (name: 'q' | 'k') =>
    layers.rmsNorm(layers.linear(x, `${attn}.to_${name}${of}`), `${attn}.${name}_rms_norm${of}`, {
      epsilon: EPSILON,
    });
  return [normed('q'), normed('k'), layers.linear(x, `${attn}.to_v${of}`)];
}

function attend(
  { graph }: TransformerLayers,
  parts: readonly Value[],
  { heads, angles }: Pick<BlockOptions, 'heads' | 'angles'>,
): Value {
  const [query, key, value] = parts as [Value, Value, Value];
  const turned = (part: Value) => graph.rotary(part, angles, { heads, pairs: 'neighbours' });
  return graph.attention(turned(query), turned(key), value, heads);
}

function feedForward(layers: TransformerLayers, path: string, x: Value): Value {
  const { graph } = layers;
  const hidden = graph.multiply(
    graph.activation(layers.linear(x, `${path}.w1`), 'silu'),
    layers.linear(x, `${path}.w3`),
  );
  return layers.linear(hidden, `${path}.w2`);
}

/** A token's two best experts, by what the gate makes of it, and one that all tokens pass. */
function mixture(layers: TransformerLayers, path: string, x: Value): Value {
  const { graph, weights } = layers;
  const shared = `${path}.shared_experts`;
  const experts = countOf(weights, `${path}.experts`);
  if (experts === 0) return feedForward(layers, path, x);
  const shares = graph.topShares(layers.linear(x, `${path}.gate`), Math.min(ACTIVE_EXPERTS, experts));
  let sum: Value | undefined;
  for (let expert = 0; expert < experts; expert++) {
    const share = graph.slice(shares, 2, expert, 1);
    const made = graph.multiply(feedForward(layers, `${path}.experts.${expert}`, x), share);
    sum = sum === undefined ? made : graph.add(sum, made);
  }
  return graph.add(sum!, feedForward(layers, shared, x));
}

function planHiDream(config: HiDreamSizes, evaluation: Evaluation): TransformerPlan<Variant> {
  const { x, timesteps, inputs } = evaluation;
  const context = checkContext('hidream', config.contextWidth, inputs);
  const { pooled, llama, concat } = inputs;
  if (pooled?.shape[1] !== config.pooledWidth || llama?.shape[3] !== config.llamaWidth) {
    throw new ModelError(
      'this hidream model takes texts of CLIP-L, CLIP-G, T5-XXL and Llama 3.1 together: load all four with QuadrupleCLIPLoader',
    );
  }
  const whole = concat === undefined ? x : joinedAlong([x, concat], 3);
  const grid = gridOf(whole, patching.size);
  const words = context.shape[1]! + 2 * llama.shape[2]!;
  const runs = [
    gridPositions(grid, axes.widths.length, (_, row, column) => [0, row, column]),
    positions(words, axes.widths.length, () => [0, 0, 0]),
  ];
  const llamaLayers = llama.shape[1]!;
  const used = Math.min(llamaLayers, config.doubleBlocks + config.singleBlocks);
  const width = whole.shape[3]!;
  return {
    variant: { llamaLayers },
    inputs: {
      image: toPatches(whole, patching),
      context,
      pooled,
      time: timestepEmbedding(timesteps, SINUSOID_WIDTH),
      ...angleTables(runs, axes),
      ...Object.fromEntries(
        Array.from({ length: used }, (_, layer) => [`llama.${layer}`, layerStates(llama, layer)]),
      ),
    },
    // The network predicts from noise to picture.
    finish(out) {
      const own = tensor(
        out.shape,
        out.data.map((value) => -value),
      );
      const made = fromPatches(
        { ...own, shape: [own.shape[0]!, tokenCount(grid), own.shape[2]!] },
        [x.shape[0]!, config.channels, x.shape[2]!, width],
        patching,
      );
      return concat === undefined ? made : partAlong(made, 3, 0, x.shape[3]!);
    },
  };
}

/** N×T×C of one layer. */
function layerStates({ shape, data }: Tensor, layer: number): Tensor {
  const [rows = 1, count = 1, ...rest] = shape;
  const size = elementCount(rest);
  const states = tensor([rows, ...rest]);
  for (let row = 0; row < rows; row++) {
    const from = (row * count + layer) * size;
    states.data.set(data.subarray(from, from + size), row * size);
  }
  return states;
}
