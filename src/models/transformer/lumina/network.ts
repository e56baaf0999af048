/** Lumina 2 (Alpha-VLLM, 2025) and Z-Image (Tongyi, 2025): one stream of text and image behind refiners (ComfyUI comfy/ldm/lumina/model.py). */
import { addDims, SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import type { Angles } from '../../../compute/operations/rotary.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import type { Evaluation, Network } from '../../denoiser/denoiser.js';
import { timestepEmbedding } from '../../denoiser/timestep-embedding.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { reshape } from '../../weights/weight-views.js';
import { checkContext } from '../context.js';
import { MACHINE_EPSILON, TransformerLayers } from '../layers.js';
import { transformerNetwork, type TransformerPlan } from '../network.js';
import { fromPatches, gridOf, toPatches, tokenCount } from '../patches.js';
import { angleTables, gridPositions, positions, type RotaryAxes } from '../positions.js';
import { firstTokens } from '../tokens.js';

export interface LuminaConfig {
  readonly width: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly layers: number;
  readonly noiseRefiners: number;
  readonly contextRefiners: number;
  readonly inputs: number;
  readonly contextWidth: number;
  /** Z-Image: text and image are padded by learned tokens, and modulation isn't activated before it is projected. */
  readonly isZImage: boolean;
  readonly axes: RotaryAxes;
}

const SINUSOID_WIDTH = 256;
const BLOCK_EPSILON = 1e-5;
/** Tokens of text and of image are multiples of this in Z-Image. */
const PADDED_TO = 32;
const patching = { size: 2, order: 'channels last' } as const;

export function detectLumina(weights: WeightSource): LuminaConfig | undefined {
  const norm = 'noise_refiner.0.attention.k_norm.weight';
  if (!weights.has('cap_embedder.1.weight') || !weights.has(norm)) return undefined;
  // NewBie takes a pooled text, others draw pixels or look at pictures.
  for (const key of ['clip_text_pooled_proj.0.weight', 'dec_net.cond_embed.weight']) {
    if (weights.has(key)) return undefined;
  }
  const [width = 0, contextWidth = 0] = weights.weight('cap_embedder.1.weight').shape;
  const [headWidth = 1] = weights.weight(norm).shape;
  const heads = width / headWidth;
  const isZImage = weights.has('cap_pad_token');
  return {
    width,
    heads,
    keyHeads: (weights.weight('layers.0.attention.qkv.weight').shape[0]! / headWidth - heads) / 2,
    layers: countOf(weights, 'layers'),
    noiseRefiners: countOf(weights, 'noise_refiner'),
    contextRefiners: countOf(weights, 'context_refiner'),
    inputs: weights.weight('x_embedder.weight').shape[1]!,
    contextWidth,
    isZImage,
    axes: isZImage ? { widths: [32, 48, 48], theta: 256 } : { widths: [32, 32, 32], theta: 10000 },
  };
}

/** Its input is `context` (N×T×C). */
export function luminaNetwork(family: string, config: LuminaConfig): Network {
  return transformerNetwork({
    name: family,
    plain: {},
    graph: (weights) => buildLuminaGraph(family, config, weights),
    plan: (evaluation) => planLumina(family, config, evaluation),
  });
}

function buildLuminaGraph(family: string, config: LuminaConfig, weights: WeightSource): Graph {
  const graph = new GraphBuilder(family, { mayRound: true, range: 'wide' });
  const layers = new TransformerLayers(graph, weights);
  const [batch, text, image] = [
    SymbolicDim.symbol('batch'),
    SymbolicDim.symbol('text'),
    SymbolicDim.symbol('image'),
  ];
  const embeddedTime = layers.mlp(
    graph.input('time', [batch, SINUSOID_WIDTH]),
    't_embedder.mlp.0',
    't_embedder.mlp.2',
    'silu',
  );
  const activated = graph.activation(embeddedTime, 'silu');
  const time = config.isZImage ? embeddedTime : activated;

  const context = graph.input('context', [batch, text, config.contextWidth]);
  const embeddedText = layers.linear(
    layers.rmsNorm(context, 'cap_embedder.0', { epsilon: BLOCK_EPSILON }),
    'cap_embedder.1',
  );
  const embeddedImage = layers.linear(graph.input('image', [batch, image, config.inputs]), 'x_embedder');
  const pairs = config.width / config.heads / 2;
  const anglesOf = (name: string, tokens: typeof text): Angles => ({
    cosines: graph.input(`${name}.cosines`, [1, tokens, pairs]),
    sines: graph.input(`${name}.sines`, [1, tokens, pairs]),
  });
  const ofText = anglesOf('text', text);
  const ofImage = anglesOf('image', image);
  let refinedText = config.isZImage ? padded(layers, embeddedText, 'cap_pad_token', 'text') : embeddedText;
  for (let index = 0; index < config.contextRefiners; index++) {
    refinedText = block(layers, `context_refiner.${index}`, refinedText, { config, angles: ofText });
  }
  let refinedImage = config.isZImage ? padded(layers, embeddedImage, 'x_pad_token', 'image') : embeddedImage;
  for (let index = 0; index < config.noiseRefiners; index++) {
    refinedImage = block(layers, `noise_refiner.${index}`, refinedImage, { config, angles: ofImage, time });
  }
  let all = graph.concat([refinedText, refinedImage], 1);
  const tokens = addDims(text, image);
  const angles = {
    cosines: graph.input('cosines', [1, tokens, pairs]),
    sines: graph.input('sines', [1, tokens, pairs]),
  };
  for (let index = 0; index < config.layers; index++) {
    all = block(layers, `layers.${index}`, all, { config, angles, time });
  }
  const made = layers.plainLayerNorm(graph.takeTokens(all, embeddedImage, 'last'));
  const scale = layers.linear(activated, 'final_layer.adaLN_modulation.1');
  graph.output('out', layers.linear(graph.modulate(made, scale), 'final_layer.linear'));
  return graph.build();
}

/** A learned token where an input `NAME.kept` (1×T×1) is 0, the embedded one where it is 1. */
function padded(layers: TransformerLayers, x: Value, key: string, name: string): Value {
  const { graph } = layers;
  const [, tokens, width] = x.shape;
  const kept = graph.input(`${name}.kept`, [1, tokens!, 1]);
  const left = graph.input(`${name}.left`, [1, tokens!, 1]);
  const token = reshape(layers.weights.weight(key), [width as number, 1]);
  return graph.addBroadcast(graph.multiply(x, kept), graph.linear(left, token));
}

interface BlockOptions {
  readonly config: LuminaConfig;
  readonly angles: Angles;
  /** Left out where a block isn't modulated. */
  readonly time?: Value;
}

function block(
  layers: TransformerLayers,
  path: string,
  x: Value,
  { config, angles, time }: BlockOptions,
): Value {
  const { graph } = layers;
  return layers.within(path, () => {
    const norm = (value: Value, name: string) =>
      layers.rmsNorm(value, `${path}.${name}`, { epsilon: BLOCK_EPSILON });
    const adaLn = `${path}.adaLN_modulation.${config.isZImage ? 0 : 1}`;
    const [scaleAttention, gateAttention, scaleMlp, gateMlp] =
      time === undefined ? [] : layers.chunks(time, adaLn, 4);
    const scaled = (value: Value, by: Value | undefined) =>
      by === undefined ? value : graph.modulate(value, by);
    const gatedBy = (value: Value, by: Value | undefined) =>
      by === undefined ? value : graph.gate(value, graph.activation(by, 'tanh'));

    const attended = attend(layers, `${path}.attention`, scaled(norm(x, 'attention_norm1'), scaleAttention), {
      config,
      angles,
    });
    const afterAttention = graph.add(x, gatedBy(norm(attended, 'attention_norm2'), gateAttention));
    const input = scaled(norm(afterAttention, 'ffn_norm1'), scaleMlp);
    const mlp = `${path}.feed_forward`;
    const hidden = graph.multiply(
      graph.activation(layers.linear(input, `${mlp}.w1`), 'silu'),
      layers.linear(input, `${mlp}.w3`),
    );
    return graph.add(afterAttention, gatedBy(norm(layers.linear(hidden, `${mlp}.w2`), 'ffn_norm2'), gateMlp));
  });
}

function attend(
  layers: TransformerLayers,
  path: string,
  x: Value,
  { config, angles }: Pick<BlockOptions, 'config' | 'angles'>,
): Value {
  const { graph } = layers;
  const { heads, keyHeads, width } = config;
  const keyWidth = (width / heads) * keyHeads;
  const [query, key, value] = layers.linearParts(x, `${path}.qkv`, [width, keyWidth, keyWidth]);
  const turned = (part: Value, norm: string, own: number) =>
    graph.rotary(layers.rmsNorm(part, `${path}.${norm}`, { heads: own, epsilon: MACHINE_EPSILON }), angles, {
      heads: own,
      pairs: 'neighbours',
    });
  const attended = graph.attention(
    turned(query!, 'q_norm', heads),
    turned(key!, 'k_norm', keyHeads),
    value!,
    heads,
    { keyHeads },
  );
  return layers.linear(attended, `${path}.out`);
}

function planLumina(family: string, config: LuminaConfig, evaluation: Evaluation): TransformerPlan<object> {
  const { x, timesteps, inputs } = evaluation;
  const context = checkContext(family, config.contextWidth, inputs);
  const grid = gridOf(x, patching.size);
  const [ownText, ownImage] = [context.shape[1]!, tokenCount(grid)];
  const size = (tokens: number) => (config.isZImage ? Math.ceil(tokens / PADDED_TO) * PADDED_TO : tokens);
  const [text, image] = [size(ownText), size(ownImage)];
  const axes = config.axes.widths.length;
  const runs = {
    text: [positions(text, axes, (token) => [1 + token, 0, 0])],
    image: [
      gridPositions(grid, axes, (_, row, column) => [text + 1, row, column]),
      positions(image - ownImage, axes, () => [0, 0, 0]),
    ],
  };
  const factor = config.isZImage ? 1000 : 1;
  const times = Float32Array.from(timesteps, (sigma) => Math.fround(1 - sigma) * factor);
  return {
    variant: {},
    inputs: {
      image: lengthened(toPatches(x, patching), image),
      context: lengthened(context, text),
      time: timestepEmbedding(times, SINUSOID_WIDTH),
      ...named('text', angleTables(runs.text, config.axes)),
      ...named('image', angleTables(runs.image, config.axes)),
      ...angleTables([...runs.text, ...runs.image], config.axes),
      ...(config.isZImage
        ? { ...named('text', keptOf(ownText, text)), ...named('image', keptOf(ownImage, image)) }
        : {}),
    },
    // The network predicts from noise to picture.
    finish(out) {
      const made = firstTokens(out, ownImage);
      return fromPatches({ ...made, data: made.data.map((value) => -value) }, x.shape, patching);
    },
  };
}

function named(name: string, tensors: object): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(tensors as Record<string, Tensor>).map(([key, value]) => [`${name}.${key}`, value]),
  );
}

/** 1×T×1 each: 1 for own tokens, and the opposite. */
function keptOf(own: number, all: number): { readonly kept: Tensor; readonly left: Tensor } {
  const kept = tensor([1, all, 1]);
  kept.data.fill(1, 0, own);
  return {
    kept,
    left: tensor(
      [1, all, 1],
      kept.data.map((value) => 1 - value),
    ),
  };
}

/** Tokens with zeros behind them. */
function lengthened(x: Tensor, tokens: number): Tensor {
  const [rows = 1, own = 0, width = 0] = x.shape;
  if (own === tokens) return x;
  const longer = tensor([rows, tokens, width]);
  for (let row = 0; row < rows; row++) {
    longer.data.set(x.data.subarray(row * own * width, (row + 1) * own * width), row * tokens * width);
  }
  return longer;
}
