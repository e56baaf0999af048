/** Wan 2.1 and 2.2 (2025): films by one stream that attends to itself, then to the text (ComfyUI comfy/ldm/wan/model.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import type { Angles } from '../../../compute/operations/rotary.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { concatChannels } from '../../../imaging/latent-channels.js';
import type { ModelChange } from '../../denoiser/changes.js';
import type { Evaluation, Network } from '../../denoiser/denoiser.js';
import { ModelError } from '../../model-error.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { reshape, rowSlice } from '../../weights/weight-views.js';
import { checkContext } from '../context.js';
import { TransformerLayers } from '../layers.js';
import { transformerNetwork, type TransformerPlan } from '../network.js';
import { fromPatches, gridOf, toPatches } from '../patches.js';
import { angleTables, gridPositions, type RotaryAxes } from '../positions.js';
import { skippedBlocks } from '../skipped.js';

export interface WanSizes {
  readonly width: number;
  readonly heads: number;
  readonly blocks: number;
  /** Channels that it sees, and that it predicts. */
  readonly inputs: number;
  readonly outputs: number;
  readonly contextWidth: number;
  /** Of an encoded picture, where it attends to one. */
  readonly pictureWidth: number | undefined;
  readonly axes: RotaryAxes;
}

interface Variant {
  /** Frames have times of their own: a film whose first frame is given. */
  readonly timed: 'alike' | 'by frame';
  readonly picture: boolean;
  readonly skipped: readonly number[];
}

const HEAD_WIDTH = 128;
const SINUSOID_WIDTH = 256;
const EPSILON = 1e-6;
const PATCH = 2;
const before = { size: PATCH, order: 'channels first' } as const;
const behind = { size: PATCH, order: 'channels last' } as const;

/** Keys of kinds that see cameras, sounds, poses or masks as well. */
const OF_OTHERS = [
  'vace_patch_embedding.weight',
  'control_adapter.conv.weight',
  'casual_audio_encoder.encoder.final_linear.weight',
  'audio_proj.audio_proj_glob_1.layer.bias',
  'face_adapter.fuser_blocks.0.k_norm.weight',
  'patch_embedding_mask.weight',
  'patch_embedding_pose.weight',
  'patch_embedding_global.weight',
  'ref_conv.weight',
  'img_emb.emb_pos',
];

export function detectWan(weights: WeightSource): WanSizes | undefined {
  if (!weights.has('head.modulation') || !weights.has('patch_embedding.weight')) return undefined;
  if (OF_OTHERS.some((key) => weights.has(key))) return undefined;
  const width = weights.weight('head.modulation').shape.at(-1)!;
  const picture = 'img_emb.proj.1.weight';
  const sixth = Math.floor(HEAD_WIDTH / 6);
  return {
    width,
    heads: width / HEAD_WIDTH,
    blocks: countOf(weights, 'blocks'),
    inputs: weights.weight('patch_embedding.weight').shape[1]!,
    outputs: weights.weight('head.head.weight').shape[0]! / (PATCH * PATCH),
    contextWidth: weights.weight('text_embedding.0.weight').shape[1]!,
    pictureWidth: weights.has(picture) ? weights.weight(picture).shape[1] : undefined,
    axes: { widths: [HEAD_WIDTH - 4 * sixth, 2 * sixth, 2 * sixth], theta: 10000 },
  };
}

/**
 * Its inputs are `context` (N×T×C), `concat` (N×C×F×h×w), channels beside the latent, `picture` (N×T×C), an encoded picture's tokens, and
 * `noise_mask` (N×1×F×h×w), by whose mean each frame's time is scaled.
 */
export function wanNetwork(config: WanSizes): Network {
  return transformerNetwork<Variant>({
    name: 'wan',
    plain: { timed: 'alike', picture: false, skipped: [] },
    graph: (weights, variant) => buildWanGraph(config, weights, variant),
    plan: (evaluation, changes) => planWan(config, evaluation, changes),
  });
}

function buildWanGraph(config: WanSizes, weights: WeightSource, variant: Variant): Graph {
  const graph = new GraphBuilder('wan', { mayRound: true, range: 'wide' });
  const layers = new TransformerLayers(graph, weights);
  const [batch, text, image] = [
    SymbolicDim.symbol('batch'),
    SymbolicDim.symbol('text'),
    SymbolicDim.symbol('image'),
  ];
  const { width, heads } = config;
  const values = config.inputs * PATCH * PATCH;
  const kernel = reshape(weights.weight('patch_embedding.weight'), [width, values]);
  const patches = graph.input('image', [batch, image, values]);
  let x = graph.linear(patches, kernel, weights.weight('patch_embedding.bias'));
  const pairs = HEAD_WIDTH / 2;
  const angles = {
    cosines: graph.input('cosines', [1, image, pairs]),
    sines: graph.input('sines', [1, image, pairs]),
  };
  // One time for all tokens, or one for each.
  const times = variant.timed === 'alike' ? 1 : image;
  const sinusoid = graph.input('time', [batch, times, SINUSOID_WIDTH]);
  const time = layers.mlp(sinusoid, 'time_embedding.0', 'time_embedding.2', 'silu');
  const projected = layers.chunks(graph.activation(time, 'silu'), 'time_projection.1', 6);
  const context = graph.input('context', [batch, text, config.contextWidth]);
  const ownText = layers.mlp(context, 'text_embedding.0', 'text_embedding.2', 'gelu_tanh');
  const picture =
    variant.picture && config.pictureWidth !== undefined
      ? embeddedPicture(
          layers,
          graph.input('picture', [batch, SymbolicDim.symbol('picture'), config.pictureWidth]),
        )
      : undefined;
  for (let index = 0; index < config.blocks; index++) {
    if (variant.skipped.includes(index)) continue;
    const path = `blocks.${index}`;
    const given = x;
    x = layers.within(path, () =>
      block(layers, path, given, { heads, angles, modulation: projected, text: ownText, picture }),
    );
  }
  const [shift, scale] = offsets(layers, 'head.modulation', [time, time]);
  const normed = graph.modulate(layers.plainLayerNorm(x, EPSILON), scale!, shift);
  graph.output('out', layers.linear(normed, 'head.head'));
  return graph.build();
}

/** Values of a time with a table's rows added: 1×k×C, a row each. */
function offsets(layers: TransformerLayers, key: string, values: readonly Value[]): Value[] {
  const { graph, weights } = layers;
  const table = weights.weight(key);
  const width = table.shape.at(-1)!;
  const rows = reshape(table, [values.length, width]);
  return values.map((value, index) =>
    graph.addBroadcast(value, graph.constant(reshape(rowSlice(rows, index, 1), [1, 1, width]))),
  );
}

/** An encoded picture's tokens as the text's: comfy/ldm/wan/model.py, MLPProj. */
function embeddedPicture(layers: TransformerLayers, tokens: Value): Value {
  const { graph } = layers;
  const normed = layers.layerNorm(tokens, 'img_emb.proj.0', 1e-5);
  const hidden = graph.activation(layers.linear(normed, 'img_emb.proj.1'), 'gelu');
  return layers.layerNorm(layers.linear(hidden, 'img_emb.proj.3'), 'img_emb.proj.4', 1e-5);
}

interface BlockOptions {
  readonly heads: number;
  readonly angles: Angles;
  /** Shift, scale and gate of self-attention, then of the feed-forward layers. */
  readonly modulation: readonly Value[];
  readonly text: Value;
  readonly picture: Value | undefined;
}

function block(
  layers: TransformerLayers,
  path: string,
  x: Value,
  { heads, angles, modulation, text, picture }: BlockOptions,
): Value {
  const { graph } = layers;
  const [shift, scale, gate, mlpShift, mlpScale, mlpGate] = offsets(layers, `${path}.modulation`, modulation);
  // The norms are over all heads together.
  const normed = (value: Value, norm: string) => layers.rmsNorm(value, norm, { epsilon: EPSILON });
  const projected = (value: Value, attn: string, name: string) =>
    normed(layers.linear(value, `${attn}.${name}`), `${attn}.norm_${name}`);
  const turned = (value: Value) => graph.rotary(value, angles, { heads, pairs: 'neighbours' });

  const self = `${path}.self_attn`;
  const input = graph.modulate(layers.plainLayerNorm(x, EPSILON), scale!, shift);
  const attended = graph.attention(
    turned(projected(input, self, 'q')),
    turned(projected(input, self, 'k')),
    layers.linear(input, `${self}.v`),
    heads,
  );
  const afterSelf = graph.add(x, graph.gate(layers.linear(attended, `${self}.o`), gate!));

  const cross = `${path}.cross_attn`;
  const query = projected(layers.layerNorm(afterSelf, `${path}.norm3`, EPSILON), cross, 'q');
  const ofText = graph.attention(
    query,
    projected(text, cross, 'k'),
    layers.linear(text, `${cross}.v`),
    heads,
  );
  const ofBoth =
    picture === undefined
      ? ofText
      : graph.add(
          ofText,
          graph.attention(
            query,
            projected(picture, cross, 'k_img'),
            layers.linear(picture, `${cross}.v_img`),
            heads,
          ),
        );
  const afterCross = graph.add(afterSelf, layers.linear(ofBoth, `${cross}.o`));

  const mlpInput = graph.modulate(layers.plainLayerNorm(afterCross, EPSILON), mlpScale!, mlpShift);
  const change = layers.mlp(mlpInput, `${path}.ffn.0`, `${path}.ffn.2`, 'gelu_tanh');
  return graph.add(afterCross, graph.gate(change, mlpGate!));
}

function planWan(
  config: WanSizes,
  { x, timesteps, inputs }: Evaluation,
  changes: readonly ModelChange[],
): TransformerPlan<Variant> {
  const context = checkContext('wan', config.contextWidth, inputs);
  const { concat, picture, noise_mask: mask } = inputs;
  const whole = concat === undefined ? x : concatChannels(x, concat);
  if (whole.shape[1] !== config.inputs) {
    throw new ModelError(
      `this wan model sees ${config.inputs} channels, the latent and what lies beside it have ${whole.shape[1]}`,
    );
  }
  const grid = gridOf(x, PATCH);
  const seesPicture = picture !== undefined && config.pictureWidth !== undefined;
  const place = (frame: number, row: number, column: number) => [frame, row, column];
  return {
    variant: {
      timed: mask === undefined ? 'alike' : 'by frame',
      picture: seesPicture,
      skipped: skippedBlocks(changes).double,
    },
    inputs: {
      image: toPatches(whole, before),
      context,
      time:
        mask === undefined
          ? sinusoids(timesteps, timesteps.length, 1)
          : sinusoids(frameTimes(timesteps, mask, grid.frames), timesteps.length, grid.rows * grid.columns),
      ...angleTables([gridPositions(grid, config.axes.widths.length, place)], config.axes),
      ...(seesPicture ? { picture } : {}),
    },
    finish: (out) => fromPatches(out, [x.shape[0]!, config.outputs, ...x.shape.slice(2)], behind),
  };
}

/** N×F: each frame's share of what is sampled, times the time (ComfyUI comfy/model_base.py, WAN22.process_timestep). */
function frameTimes(timesteps: Float32Array, { shape, data }: Tensor, frames: number): Float32Array {
  const rows = timesteps.length;
  const perFrame = data.length / shape[0]! / shape[1]! / frames;
  const times = new Float32Array(rows * frames);
  for (let row = 0; row < rows; row++) {
    for (let frame = 0; frame < frames; frame++) {
      const start = ((row % shape[0]!) * shape[1]! * frames + frame) * perFrame;
      let sum = 0;
      for (let at = 0; at < perFrame; at++) sum += data[start + at]!;
      times[row * frames + frame] = Math.fround(sum / perFrame) * timesteps[row]!;
    }
  }
  return times;
}

const { fround } = Math;

/** N×(times·each)×256: cosines, then sines of position · 10000^(−i/128), each as often as a frame has tokens. */
function sinusoids(times: Float32Array, rows: number, each: number): Tensor {
  const half = SINUSOID_WIDTH / 2;
  const frequencies = Float32Array.from({ length: half }, (_, index) => 10000 ** fround(-index / half));
  const embedding = tensor([rows, (times.length / rows) * each, SINUSOID_WIDTH]);
  const line = new Float32Array(SINUSOID_WIDTH);
  times.forEach((time, index) => {
    frequencies.forEach((frequency, at) => {
      const angle = fround(fround(time) * frequency);
      line[at] = Math.cos(angle);
      line[half + at] = Math.sin(angle);
    });
    for (let copy = 0; copy < each; copy++) embedding.data.set(line, (index * each + copy) * SINUSOID_WIDTH);
  });
  return embedding;
}
