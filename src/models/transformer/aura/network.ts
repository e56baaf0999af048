/** AuraFlow (Fal, 2024): a few blocks of two streams, then blocks of one (ComfyUI comfy/ldm/aura/mmdit.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { upscaleLatent } from '../../../imaging/upscale.js';
import type { ModelChange } from '../../denoiser/changes.js';
import type { Evaluation, Network } from '../../denoiser/denoiser.js';
import { timestepFrequencies } from '../../denoiser/timestep-embedding.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { reshape } from '../../weights/weight-views.js';
import { checkContext } from '../context.js';
import { TransformerLayers } from '../layers.js';
import { transformerNetwork, type TransformerPlan } from '../network.js';
import { fromPatches, gridOf, toPatches } from '../patches.js';
import { skippedBlocks, type Skipped } from '../skipped.js';

export interface AuraSizes {
  readonly width: number;
  readonly doubleBlocks: number;
  readonly singleBlocks: number;
  readonly contextWidth: number;
  /** Patches a side of the table of positions. */
  readonly positions: number;
  /** Tokens of its own before the text. */
  readonly registers: number;
}

/** No file says it. */
const HEADS = 12;
const CHANNELS = 4;
const PATCH = 2;
const SINUSOID_WIDTH = 256;
const EPSILON = 1e-5;
const before = { size: PATCH, order: 'channels first' } as const;
const behind = { size: PATCH, order: 'channels last' } as const;

export function detectAura(weights: WeightSource): AuraSizes | undefined {
  if (!weights.has('double_layers.0.attn.w1q.weight') || !weights.has('positional_encoding'))
    return undefined;
  const [width = 0, contextWidth = 0] = weights.weight('cond_seq_linear.weight').shape;
  return {
    ...{ width, contextWidth },
    doubleBlocks: countOf(weights, 'double_layers'),
    singleBlocks: countOf(weights, 'single_layers'),
    positions: Math.round(Math.sqrt(weights.weight('positional_encoding').shape[1]!)),
    registers: weights.weight('register_tokens').shape[1]!,
  };
}

/** Its input is `context` (N×T×C). */
export function auraNetwork(config: AuraSizes, weights: WeightSource): Network {
  const placesOf = placeRows(config, weights);
  return transformerNetwork<Skipped>({
    name: 'auraflow',
    plain: { double: [], single: [] },
    graph: (own, skipped) => buildGraph(config, own, skipped),
    plan: (evaluation, changes) => planAura(config, evaluation, changes, placesOf),
  });
}

function buildGraph(config: AuraSizes, weights: WeightSource, skipped: Skipped): Graph {
  const graph = new GraphBuilder('auraflow', { mayRound: true, range: 'wide' });
  const layers = new TransformerLayers(graph, weights);
  const [batch, text, image] = ['batch', 'text', 'image'].map((name) => SymbolicDim.symbol(name)) as [
    SymbolicDim,
    SymbolicDim,
    SymbolicDim,
  ];
  const { width, registers } = config;
  const patches = graph.input('image', [batch, image, CHANNELS * PATCH * PATCH]);
  let x = graph.addBroadcast(
    layers.linear(patches, 'init_x_linear'),
    graph.input('places', [1, image, width]),
  );
  const words = layers.linear(graph.input('context', [batch, text, config.contextWidth]), 'cond_seq_linear');
  // Zeros, to which the registers are added: constants have no rows for a batch.
  const zeros = graph.input('registers', [batch, registers, width]);
  const own = graph.addRows(zeros, reshape(weights.weight('register_tokens'), [registers, width]));
  let c = graph.concat([own, words], 1);
  const time = graph.activation(
    layers.mlp(graph.input('time', [batch, SINUSOID_WIDTH]), 't_embedder.mlp.0', 't_embedder.mlp.2', 'silu'),
    'silu',
  );
  for (let index = 0; index < config.doubleBlocks; index++) {
    if (skipped.double.includes(index)) continue;
    const path = `double_layers.${index}`;
    const given = { c, x };
    ({ c, x } = layers.within(path, () => doubleBlock(layers, path, given, time)));
  }
  let all = graph.concat([c, x], 1);
  for (let index = 0; index < config.singleBlocks; index++) {
    if (skipped.single.includes(index)) continue;
    const path = `single_layers.${index}`;
    const given = all;
    all = layers.within(path, () => singleBlock(layers, path, given, time));
  }
  const [shift, scale] = layers.chunks(time, 'modF.1', 2);
  graph.output(
    'out',
    layers.linear(graph.modulate(graph.takeTokens(all, x, 'last'), scale!, shift), 'final_linear'),
  );
  return graph.build();
}

interface Streams {
  readonly c: Value;
  readonly x: Value;
}

/** Shift, scale and gate of attention, then of the feed-forward layers. */
type Six = readonly [Value, Value, Value, Value, Value, Value];

function doubleBlock(layers: TransformerLayers, path: string, { c, x }: Streams, time: Value): Streams {
  const { graph } = layers;
  const ofText = layers.chunks(time, `${path}.modC.1`, 6) as unknown as Six;
  const ofImage = layers.chunks(time, `${path}.modX.1`, 6) as unknown as Six;
  const attn = `${path}.attn`;
  const text = projections(layers, attn, 1, modulated(layers, c, ofText));
  const image = projections(layers, attn, 2, modulated(layers, x, ofImage));
  const [query, key, value] = text.map((part, index) => graph.concat([part, image[index]!], 1)) as [
    Value,
    Value,
    Value,
  ];
  const attended = graph.attention(query, key, value, HEADS);
  return {
    c: finished(
      layers,
      `${path}.mlpC`,
      [c, layers.linear(graph.takeTokens(attended, c, 'first'), `${attn}.w1o`)],
      ofText,
    ),
    x: finished(
      layers,
      `${path}.mlpX`,
      [x, layers.linear(graph.takeTokens(attended, x, 'last'), `${attn}.w2o`)],
      ofImage,
    ),
  };
}

function singleBlock(layers: TransformerLayers, path: string, x: Value, time: Value): Value {
  const by = layers.chunks(time, `${path}.modCX.1`, 6) as unknown as Six;
  const attn = `${path}.attn`;
  const [query, key, value] = projections(layers, attn, 1, modulated(layers, x, by));
  const attended = layers.graph.attention(query!, key!, value!, HEADS);
  return finished(layers, `${path}.mlp`, [x, layers.linear(attended, `${attn}.w1o`)], by);
}

function modulated(layers: TransformerLayers, x: Value, [shift, scale]: Six): Value {
  return layers.graph.modulate(layers.plainLayerNorm(x, EPSILON), scale, shift);
}

/** Query, key and value of a stream; heads are normed one by one. */
function projections(layers: TransformerLayers, attn: string, stream: 1 | 2, x: Value): Value[] {
  const { graph } = layers;
  const of = (part: 'q' | 'k' | 'v') => layers.linear(x, `${attn}.w${stream}${part}`);
  const normed = (part: 'q' | 'k') =>
    graph.rmsNorm(graph.centreHeads(of(part), HEADS), undefined, { heads: HEADS, epsilon: EPSILON });
  return [normed('q'), normed('k'), of('v')];
}

/** What attention found goes into the feed-forward layers alone: both streams go on from what came in. */
function finished(
  layers: TransformerLayers,
  mlp: string,
  [x, attended]: readonly [Value, Value],
  [, , gate, shift, scale, mlpGate]: Six,
): Value {
  const { graph } = layers;
  const normed = layers.plainLayerNorm(graph.add(x, graph.gate(attended, gate)), EPSILON);
  const input = graph.modulate(normed, scale, shift);
  const hidden = graph.multiply(
    graph.activation(layers.linear(input, `${mlp}.c_fc1`), 'silu'),
    layers.linear(input, `${mlp}.c_fc2`),
  );
  return graph.add(x, graph.gate(layers.linear(hidden, `${mlp}.c_proj`), mlpGate));
}

function planAura(
  config: AuraSizes,
  { x, timesteps, inputs }: Evaluation,
  changes: readonly ModelChange[],
  placesOf: (rows: number, columns: number) => Tensor,
): TransformerPlan<Skipped> {
  const context = checkContext('auraflow', config.contextWidth, inputs);
  const grid = gridOf(x, PATCH);
  return {
    variant: skippedBlocks(changes),
    inputs: {
      image: toPatches(x, before),
      context,
      registers: tensor([x.shape[0]!, config.registers, config.width]),
      time: sinusoids(timesteps),
      places: placesOf(grid.rows, grid.columns),
    },
    finish: (out) => fromPatches(out, x.shape, behind),
  };
}

/** N×256, of frequencies a thousand times the usual ones. */
function sinusoids(timesteps: Float32Array): Tensor {
  const half = SINUSOID_WIDTH / 2;
  const { fround } = Math;
  const frequencies = timestepFrequencies(half).map((each) => 1000 * each);
  const embedding = tensor([timesteps.length, SINUSOID_WIDTH]);
  timesteps.forEach((time, row) => {
    frequencies.forEach((frequency, index) => {
      const angle = fround(fround(time) * frequency);
      embedding.data[row * SINUSOID_WIDTH + index] = Math.cos(angle);
      embedding.data[row * SINUSOID_WIDTH + half + index] = Math.sin(angle);
    });
  });
  return embedding;
}

/** The middle of the square table of positions, 1×(rows·columns)×C, enlarged where a picture is larger; read when it is first wanted. */
function placeRows({ positions, width }: AuraSizes, weights: WeightSource) {
  let table: Tensor | undefined;
  return (rows: number, columns: number): Tensor => {
    if (table === undefined) {
      const values = new Float32Array(positions * positions * width);
      weights.weight('positional_encoding').read(values);
      table = tensor([1, width, positions, positions]);
      for (let at = 0; at < positions * positions; at++) {
        for (let c = 0; c < width; c++) table.data[c * positions ** 2 + at] = values[at * width + c]!;
      }
    }
    const side = Math.max(positions, rows, columns);
    const planes =
      side === positions ? table : upscaleLatent(table, 'bilinear', { width: side, height: side });
    const [top, left] = [Math.floor((side - rows) / 2), Math.floor((side - columns) / 2)];
    const places = tensor([1, rows * columns, width]);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const at = (top + row) * side + left + column;
        const into = (row * columns + column) * width;
        for (let c = 0; c < width; c++) places.data[into + c] = planes.data[c * side * side + at]!;
      }
    }
    return places;
  };
}
