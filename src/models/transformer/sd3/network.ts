/** SD3 and SD3.5 (Esser et al., 2024): blocks of two streams that attend to each other (ComfyUI comfy/ldm/modules/diffusionmodules/mmdit.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import type { ModelChange } from '../../denoiser/changes.js';
import type { Evaluation, Network } from '../../denoiser/denoiser.js';
import { timestepEmbedding } from '../../denoiser/timestep-embedding.js';
import { ModelError } from '../../model-error.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { reshape } from '../../weights/weight-views.js';
import { checkContext } from '../context.js';
import { TransformerLayers } from '../layers.js';
import { transformerNetwork, type TransformerPlan } from '../network.js';
import { fromPatches, gridOf, toPatches } from '../patches.js';
import { skippedBlocks } from '../skipped.js';

export interface Sd3Config {
  readonly width: number;
  readonly heads: number;
  readonly blocks: number;
  /** Queries and keys are normed: SD3.5. */
  readonly normed: boolean;
  readonly contextWidth: number;
  readonly pooledWidth: number | undefined;
  /** Patches a side of the table of positions. */
  readonly positions: number;
}

interface Variant {
  /** Blocks that are left out (skip layer guidance). */
  readonly skipped: readonly number[];
  readonly pooled: boolean;
}

const SINUSOID_WIDTH = 256;
const HEAD_WIDTH = 64;
const CHANNELS = 16;
const PATCH = 2;
const QK_EPSILON = 1e-6;
const before = { size: PATCH, order: 'channels first' } as const;
const behind = { size: PATCH, order: 'channels last' } as const;

export function detectSd3(weights: WeightSource): Sd3Config | undefined {
  if (!weights.has('joint_blocks.0.context_block.attn.qkv.weight') || !weights.has('pos_embed'))
    return undefined;
  const embedder = weights.weight('x_embedder.proj.weight').shape;
  const [width = 0, channels = 0, patch = 0] = embedder;
  const ofOthers = ['context_processor.layers.0.attn.qkv.weight', 'register'].some((key) => weights.has(key));
  if (channels !== CHANNELS || patch !== PATCH || ofOthers || !weights.has('context_embedder.weight'))
    return undefined;
  const pooled = 'y_embedder.mlp.0.weight';
  return {
    width,
    heads: width / HEAD_WIDTH,
    blocks: countOf(weights, 'joint_blocks'),
    normed: weights.has('joint_blocks.0.context_block.attn.ln_q.weight'),
    contextWidth: weights.weight('context_embedder.weight').shape[1]!,
    pooledWidth: weights.has(pooled) ? weights.weight(pooled).shape[1] : undefined,
    positions: Math.round(Math.sqrt(weights.weight('pos_embed').shape[1]!)),
  };
}

/** Its inputs are `context` (N×T×C) and `pooled` (N×C). */
export function sd3Network(config: Sd3Config, weights: WeightSource): Network {
  const rowsOf = positionRows(config, weights);
  return transformerNetwork<Variant>({
    name: 'sd3',
    plain: { skipped: [], pooled: config.pooledWidth !== undefined },
    graph: (own, variant) => buildSd3Graph(config, own, variant),
    plan: (evaluation, changes) => planSd3(config, evaluation, changes, rowsOf),
  });
}

function buildSd3Graph(config: Sd3Config, weights: WeightSource, variant: Variant): Graph {
  const graph = new GraphBuilder('sd3', { mayRound: true, range: 'wide' });
  const layers = new TransformerLayers(graph, weights);
  const [batch, text, image] = [
    SymbolicDim.symbol('batch'),
    SymbolicDim.symbol('text'),
    SymbolicDim.symbol('image'),
  ];
  const kernel = weights.weight('x_embedder.proj.weight');
  const matrix = reshape(kernel, [config.width, CHANNELS * PATCH * PATCH]);
  const patches = graph.input('image', [batch, image, CHANNELS * PATCH * PATCH]);
  const embedded = graph.linear(patches, matrix, weights.weight('x_embedder.proj.bias'));
  const places = graph.input('places', [1, image, config.width]);
  let x = graph.addBroadcast(embedded, places);
  let context: Value | undefined = layers.linear(
    graph.input('context', [batch, text, config.contextWidth]),
    'context_embedder',
  );
  const embeddedTime = layers.mlp(
    graph.input('time', [batch, SINUSOID_WIDTH]),
    't_embedder.mlp.0',
    't_embedder.mlp.2',
    'silu',
  );
  const { pooledWidth } = config;
  const whole =
    variant.pooled && pooledWidth !== undefined
      ? graph.add(
          embeddedTime,
          layers.mlp(
            graph.input('pooled', [batch, pooledWidth]),
            'y_embedder.mlp.0',
            'y_embedder.mlp.2',
            'silu',
          ),
        )
      : embeddedTime;
  const time = graph.activation(whole, 'silu');
  for (let index = 0; index < config.blocks; index++) {
    if (variant.skipped.includes(index) || context === undefined) continue;
    const streams = { x, context };
    const path = `joint_blocks.${index}`;
    const made: Streams = layers.within(path, () =>
      jointBlock(layers, path, streams, { config, time, last: index === config.blocks - 1 }),
    );
    x = made.x;
    context = made.context;
  }
  const [shift, scale] = layers.chunks(time, 'final_layer.adaLN_modulation.1', 2);
  const normed = graph.modulate(layers.plainLayerNorm(x), scale!, shift);
  graph.output('out', layers.linear(normed, 'final_layer.linear'));
  return graph.build();
}

interface Streams {
  readonly x: Value;
  readonly context: Value | undefined;
}

interface BlockOptions {
  readonly config: Sd3Config;
  readonly time: Value;
  /** Of the last block's text only keys and values are wanted. */
  readonly last: boolean;
}

function jointBlock(
  layers: TransformerLayers,
  path: string,
  { x, context }: { readonly x: Value; readonly context: Value },
  { config, time, last }: BlockOptions,
): Streams {
  const { graph } = layers;
  const projected = (input: Value, attn: string): readonly [Value, Value, Value] => {
    const [query, key, value] = layers.chunks(input, `${attn}.qkv`, 3) as [Value, Value, Value];
    if (!config.normed) return [query, key, value];
    const options = { heads: config.heads, epsilon: QK_EPSILON };
    return [
      layers.rmsNorm(query, `${attn}.ln_q`, options),
      layers.rmsNorm(key, `${attn}.ln_k`, options),
      value,
    ];
  };
  const [ofText, ofImage] = [`${path}.context_block`, `${path}.x_block`];
  const attendsTwice = layers.weights.has(`${ofImage}.attn2.qkv.weight`);
  const textMods = layers.chunks(time, `${ofText}.adaLN_modulation.1`, last ? 2 : 6);
  const imageMods = layers.chunks(time, `${ofImage}.adaLN_modulation.1`, attendsTwice ? 9 : 6);
  const normedImage = layers.plainLayerNorm(x);
  const text = projected(
    graph.modulate(layers.plainLayerNorm(context), textMods[1]!, textMods[0]),
    `${ofText}.attn`,
  );
  const image = projected(graph.modulate(normedImage, imageMods[1]!, imageMods[0]), `${ofImage}.attn`);
  const joined = (index: 0 | 1 | 2) => graph.concat([text[index], image[index]], 1);
  const attended = graph.attention(joined(0), joined(1), joined(2), config.heads);

  const finished = (block: string, afterAttention: Value, mods: readonly Value[]): Value => {
    const input = graph.modulate(layers.plainLayerNorm(afterAttention), mods[4]!, mods[3]);
    const change = layers.mlp(input, `${block}.mlp.fc1`, `${block}.mlp.fc2`, 'gelu_tanh');
    return graph.add(afterAttention, graph.gate(change, mods[5]!));
  };
  const gatedBy = (own: Value, attn: string, gate: Value) =>
    graph.gate(layers.linear(own, `${attn}.proj`), gate);
  let after = graph.add(x, gatedBy(graph.takeTokens(attended, x, 'last'), `${ofImage}.attn`, imageMods[2]!));
  if (attendsTwice) {
    const second = projected(graph.modulate(normedImage, imageMods[7]!, imageMods[6]), `${ofImage}.attn2`);
    const alone = graph.attention(second[0], second[1], second[2], config.heads);
    after = graph.add(after, gatedBy(alone, `${ofImage}.attn2`, imageMods[8]!));
  }
  const made = finished(ofImage, after, imageMods);
  if (last) return { x: made, context: undefined };
  const textAfter = graph.add(
    context,
    gatedBy(graph.takeTokens(attended, context, 'first'), `${ofText}.attn`, textMods[2]!),
  );
  return { x: made, context: finished(ofText, textAfter, textMods) };
}

function planSd3(
  config: Sd3Config,
  { x, timesteps, inputs }: Evaluation,
  changes: readonly ModelChange[],
  rowsOf: (rows: number, columns: number) => Tensor,
): TransformerPlan<Variant> {
  const context = checkContext('sd3', config.contextWidth, inputs);
  const { pooled } = inputs;
  if (config.pooledWidth !== undefined && pooled?.shape.at(-1) !== config.pooledWidth) {
    throw new ModelError(
      `this sd3 model takes a pooled text of width ${config.pooledWidth}, the conditioning's has ${pooled?.shape.at(-1) ?? 0}: encode the prompt with its own text encoders`,
    );
  }
  const grid = gridOf(x, PATCH);
  return {
    variant: { skipped: skippedBlocks(changes).double, pooled: pooled !== undefined },
    inputs: {
      image: toPatches(x, before),
      context,
      time: timestepEmbedding(timesteps, SINUSOID_WIDTH),
      places: rowsOf(grid.rows, grid.columns),
      ...(pooled === undefined ? {} : { pooled }),
    },
    finish: (out) => fromPatches(out, x.shape, behind),
  };
}

/** The middle of the square table of positions, 1×(rows·columns)×C; read when it is first wanted. */
function positionRows(
  { positions, width }: Sd3Config,
  weights: WeightSource,
): (rows: number, columns: number) => Tensor {
  let table: Float32Array | undefined;
  return (rows, columns) => {
    if (rows > positions || columns > positions) {
      throw new ModelError(
        `this sd3 model draws at most ${positions * PATCH} latent pixels a side, asked for ${columns * PATCH}×${rows * PATCH}`,
      );
    }
    if (table === undefined) {
      table = new Float32Array(positions * positions * width);
      weights.weight('pos_embed').read(table);
    }
    const [top, left] = [Math.floor((positions - rows) / 2), Math.floor((positions - columns) / 2)];
    const places = tensor([1, rows * columns, width]);
    for (let row = 0; row < rows; row++) {
      const start = ((top + row) * positions + left) * width;
      places.data.set(table.subarray(start, start + columns * width), row * columns * width);
    }
    return places;
  };
}
