/** Qwen-Image (2025), for pictures and for editing them: double blocks all through (ComfyUI comfy/ldm/qwen_image/model.py). */
import { addDims, SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import type { Angles } from '../../../compute/operations/rotary.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import type { ReferenceMethod } from '../../denoiser/conditioning.js';
import type { ModelChange } from '../../denoiser/changes.js';
import type { Evaluation, Network } from '../../denoiser/denoiser.js';
import { timestepEmbedding } from '../../denoiser/timestep-embedding.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { checkContext } from '../context.js';
import { TransformerLayers } from '../layers.js';
import { gated, modulated, type Modulated, type Modulation } from '../modulation.js';
import { transformerNetwork, type TransformerPlan } from '../network.js';
import { fromPatches, gridOf, toPatches, tokenCount } from '../patches.js';
import { angleTables, gridPositions, positions, type Positions } from '../positions.js';
import { placeReferences, referencesOf, type Place } from '../references.js';
import { skippedBlocks } from '../skipped.js';
import { firstTokens, joinTokens } from '../tokens.js';

export interface QwenImageConfig {
  readonly width: number;
  readonly heads: number;
  readonly blocks: number;
  readonly inputs: number;
  readonly contextWidth: number;
  readonly referenceMethod: ReferenceMethod;
}

interface Variant {
  readonly zeroTime: boolean;
  /** Some text is padding: scores have a bias. */
  readonly masked: boolean;
  readonly skipped: readonly number[];
}

const SINUSOID_WIDTH = 256;
const TIME_FACTOR = 1000;
const EPSILON = 1e-6;
const AXES = { widths: [16, 56, 56], theta: 10000 };
const patching = { size: 2, order: 'channels first' } as const;
/** torch.finfo(torch.float32).max, taken off scores of padding. */
const MOST = 3.4028234663852886e38;

export function detectQwenImage(weights: WeightSource): QwenImageConfig | undefined {
  if (!weights.has('txt_norm.weight') || !weights.has('transformer_blocks.0.attn.norm_added_q.weight')) {
    return undefined;
  }
  // Qwen-Image-Layered has another time.
  if (weights.has('time_text_embed.addition_t_embedding.weight')) return undefined;
  const [width = 0, inputs = 0] = weights.weight('img_in.weight').shape;
  return {
    width,
    inputs,
    heads: width / weights.weight('transformer_blocks.0.attn.norm_q.weight').shape[0]!,
    blocks: countOf(weights, 'transformer_blocks'),
    contextWidth: weights.weight('txt_in.weight').shape[1]!,
    // Qwen-Image-Edit-2511 says so by a key without values.
    referenceMethod: weights.has('__index_timestep_zero__') ? 'index_timestep_zero' : 'index',
  };
}

/** Its inputs are `context` (N×T×C), `attention_mask` (N×T) and references. */
export function qwenImageNetwork(config: QwenImageConfig): Network {
  return transformerNetwork<Variant>({
    name: 'qwen_image',
    plain: { zeroTime: false, masked: false, skipped: [] },
    graph: (weights, variant) => buildQwenImageGraph(config, weights, variant),
    plan: (evaluation, changes) => planQwenImage(config, evaluation, changes),
  });
}

function buildQwenImageGraph(config: QwenImageConfig, weights: WeightSource, variant: Variant): Graph {
  const graph = new GraphBuilder('qwen_image', { mayRound: true, range: 'wide' });
  const layers = new TransformerLayers(graph, weights);
  const [batch, text, image] = [
    SymbolicDim.symbol('batch'),
    SymbolicDim.symbol('text'),
    SymbolicDim.symbol('image'),
  ];
  const timed = (name: string): Value => {
    const path = 'time_text_embed.timestep_embedder';
    const input = graph.input(name, [batch, SINUSOID_WIDTH]);
    return graph.activation(layers.mlp(input, `${path}.linear_1`, `${path}.linear_2`, 'silu'), 'silu');
  };
  const time = timed('time');
  const ownImage = layers.linear(graph.input('image', [batch, image, config.inputs]), 'img_in');
  const context = graph.input('context', [batch, text, config.contextWidth]);
  const ownText = layers.linear(layers.rmsNorm(context, 'txt_norm', { epsilon: EPSILON }), 'txt_in');
  let x = { image: ownImage, text: ownText };
  let zero: { readonly references: Value; readonly time: Value } | undefined;
  if (variant.zeroTime) {
    const input = graph.input('references', [batch, SymbolicDim.symbol('references'), config.inputs]);
    zero = { references: layers.linear(input, 'img_in'), time: timed('zero_time') };
    x = { ...x, image: graph.concat([ownImage, zero.references], 1) };
  }
  const tokens = addDims(x.text.shape[1]!, x.image.shape[1]!);
  const pairs = config.width / config.heads / 2;
  const angles = {
    cosines: graph.input('cosines', [1, tokens, pairs]),
    sines: graph.input('sines', [1, tokens, pairs]),
  };
  const bias = variant.masked ? graph.input('bias', [batch, 1, 1, tokens]) : undefined;
  const ofImage = (path: string): Modulated<Modulation>[] => {
    const own = modulations(layers, path, time);
    if (zero === undefined) return own;
    const { references, time: zeroTime } = zero;
    const ofZero = modulations(layers, path, zeroTime);
    return own.map((by, index) => [
      { like: ownImage, by },
      { like: references, by: ofZero[index]! },
    ]);
  };
  for (let index = 0; index < config.blocks; index++) {
    if (variant.skipped.includes(index)) continue;
    const path = `transformer_blocks.${index}`;
    const modulation = {
      image: ofImage(`${path}.img_mod.1`),
      text: modulations(layers, `${path}.txt_mod.1`, time),
    };
    x = layers.within(path, () => block(layers, path, x, modulation, { heads: config.heads, angles, bias }));
  }
  const made = zero === undefined ? x.image : graph.takeTokens(x.image, ownImage, 'first');
  const [scale, shift] = layers.chunks(time, 'norm_out.linear', 2);
  const normed = graph.modulate(layers.plainLayerNorm(made), scale!, shift);
  graph.output('out', layers.linear(normed, 'proj_out'));
  return graph.build();
}

/** Shift, scale and gate before attention, and before the feed-forward layers. */
function modulations(layers: TransformerLayers, path: string, time: Value): Modulation[] {
  const parts = layers.chunks(time, path, 6);
  return [0, 3].map((start) => {
    const [shift, scale, gate] = parts.slice(start) as [Value, Value, Value];
    return { shift, scale, gate };
  });
}

interface Streams {
  readonly image: Value;
  readonly text: Value;
}

interface BlockOptions {
  readonly heads: number;
  readonly angles: Angles;
  readonly bias: Value | undefined;
}

/** Names of each stream's layers. */
const PARTS = {
  image: {
    prefix: 'img',
    projections: ['to_q', 'to_k', 'to_v'],
    norms: ['norm_q', 'norm_k'],
    out: 'to_out.0',
  },
  text: {
    prefix: 'txt',
    projections: ['add_q_proj', 'add_k_proj', 'add_v_proj'],
    norms: ['norm_added_q', 'norm_added_k'],
    out: 'to_add_out',
  },
} as const;

function block(
  layers: TransformerLayers,
  path: string,
  streams: Streams,
  modulation: Readonly<Record<keyof Streams, readonly Modulated<Modulation>[]>>,
  { heads, angles, bias }: BlockOptions,
): Streams {
  const { graph } = layers;
  const projected = (name: keyof Streams) => {
    const { projections, norms } = PARTS[name];
    const input = modulated(graph, layers.plainLayerNorm(streams[name], EPSILON), modulation[name][0]!);
    const [query, key, value] = projections.map((each) => layers.linear(input, `${path}.attn.${each}`));
    const normed = (part: Value, norm: string) =>
      layers.rmsNorm(part, `${path}.attn.${norm}`, { heads, epsilon: EPSILON });
    return [normed(query!, norms[0]), normed(key!, norms[1]), value!] as const;
  };
  const [ofText, ofImage] = [projected('text'), projected('image')];
  const joined = (index: 0 | 1 | 2) => graph.concat([ofText[index], ofImage[index]], 1);
  const turned = (part: Value) => graph.rotary(part, angles, { heads, pairs: 'neighbours' });
  const attended = graph.attention(turned(joined(0)), turned(joined(1)), joined(2), heads, {
    ...(bias === undefined ? {} : { bias }),
  });
  const finished = (name: keyof Streams, own: Value): Value => {
    const { prefix, out } = PARTS[name];
    const [attention, mlp] = modulation[name] as [Modulated<Modulation>, Modulated<Modulation>];
    const after = gated(graph, streams[name], layers.linear(own, `${path}.attn.${out}`), attention);
    const input = modulated(graph, layers.plainLayerNorm(after, EPSILON), mlp);
    const net = `${path}.${prefix}_mlp.net`;
    return gated(graph, after, layers.mlp(input, `${net}.0.proj`, `${net}.2`, 'gelu_tanh'), mlp);
  };
  return {
    image: finished('image', graph.takeTokens(attended, streams.image, 'last')),
    text: finished('text', graph.takeTokens(attended, streams.text, 'first')),
  };
}

function planQwenImage(
  config: QwenImageConfig,
  { x, timesteps, inputs }: Evaluation,
  changes: readonly ModelChange[],
): TransformerPlan<Variant> {
  const context = checkContext('qwen_image', config.contextWidth, inputs);
  const references = referencesOf(inputs, config.referenceMethod);
  const grid = gridOf(x, patching.size);
  // The text begins at the picture's edge, which lies around its centre.
  const start = Math.max(Math.floor(grid.columns / 2), Math.floor(grid.rows / 2));
  const runs = [
    positions(context.shape[1]!, AXES.widths.length, (token) => [
      start + token,
      start + token,
      start + token,
    ]),
    gridIds(x, { index: 0, row: 0, column: 0 }),
  ];
  const tokens: Tensor[] = [];
  if (references !== undefined) {
    const placing = { size: patching.size, indexStep: 1, negative: true };
    placeReferences(references, placing).forEach((place, index) => {
      const latent = references.latents[index]!;
      tokens.push(toPatches(latent, patching));
      runs.push(gridIds(latent, place));
    });
  }
  const zeroTime = references?.method === 'index_timestep_zero';
  const referenceTokens = tokens.length === 0 ? undefined : tokens.reduce(joinTokens);
  const image = toPatches(x, patching);
  const mask = inputs['attention_mask'];
  const masked = mask?.data.some((seen) => seen !== 1) === true;
  const all = runs.reduce((sum, run) => sum + run.count, 0);
  return {
    variant: { zeroTime, masked, skipped: skippedBlocks(changes).double },
    inputs: {
      image: referenceTokens === undefined || zeroTime ? image : joinTokens(image, referenceTokens),
      context,
      time: timestepEmbedding(timesteps, SINUSOID_WIDTH, TIME_FACTOR),
      ...angleTables(runs, AXES),
      ...(masked ? { bias: biasOf(mask, all) } : {}),
      ...(zeroTime && referenceTokens !== undefined
        ? {
            references: referenceTokens,
            zero_time: timestepEmbedding(
              timesteps.map((time) => time * 0),
              SINUSOID_WIDTH,
              TIME_FACTOR,
            ),
          }
        : {}),
    },
    finish: (out) => fromPatches(firstTokens(out, tokenCount(grid)), x.shape, patching),
  };
}

/** Positions count from the picture's centre; the first axis is the frame, or a still picture's layer. */
function gridIds(latent: Tensor, { index, row: top, column: left }: Place): Positions {
  const grid = gridOf(latent, patching.size);
  const [middleRow, middleColumn] = [Math.floor(grid.rows / 2), Math.floor(grid.columns / 2)];
  return gridPositions(grid, AXES.widths.length, (frame, row, column) => [
    grid.frames > 1 ? frame : index,
    top + row - middleRow,
    left + column - middleColumn,
  ]);
}

/** N×1×1×T: scores of padded text are as low as they get. */
function biasOf({ shape, data }: Tensor, tokens: number): Tensor {
  const [rows = 1, text = 0] = shape;
  const bias = tensor([rows, 1, 1, tokens]);
  for (let row = 0; row < rows; row++) {
    for (let token = 0; token < text; token++) {
      bias.data[row * tokens + token] = (data[row * text + token]! - 1) * MOST;
    }
  }
  return bias;
}
