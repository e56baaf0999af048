/** Small tensors made by torch (tools/reference/compute_ops.py), and the graph that should reproduce each case. */
import { readFileSync } from 'node:fs';
import { GraphBuilder, type Graph, type Value } from '../../src/compute/graph.js';
import { SymbolicDim, type Dim } from '../../src/compute/dim.js';
import type { Tensor, TensorData } from '../../src/compute/tensor.js';
import type { RotaryPairs } from '../../src/compute/operations/rotary.js';
import type { Weight } from '../../src/compute/weight.js';

interface StoredTensor {
  readonly dtype: 'F32' | 'I32';
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads a small safetensors file of float32 and int32 tensors. */
export function readTensors(path: string): Record<string, Tensor<TensorData>> {
  const file = readFileSync(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<string, StoredTensor>;
  const tensors: Record<string, Tensor<TensorData>> = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    const [from, to] = data_offsets.map((offset) => offset + 8 + headerLength) as [number, number];
    const bytes = new Uint8Array(file.subarray(from, to)).buffer;
    tensors[name] = { shape, data: dtype === 'I32' ? new Int32Array(bytes) : new Float32Array(bytes) };
  }
  return tensors;
}

export function weightOf(name: string, tensor: Tensor<TensorData>): Weight {
  return {
    name,
    shape: tensor.shape,
    read(into) {
      into.set(tensor.data);
    },
  };
}

export interface OperationCase {
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, Tensor<TensorData>>>;
  readonly expected: Tensor<TensorData>;
}

type Parts = Readonly<Record<'x' | 'v' | 'like' | 'index' | 'query' | 'key' | 'value', Value>> &
  Readonly<Record<'a' | 'b' | 'input' | 'other' | 'tiles' | 'order' | 'counts' | 'map', Value>> &
  Readonly<Record<'scores' | 'kinds', Value>>;
type Weights = Readonly<Record<'weight' | 'bias', Weight>>;
type Body = (builder: GraphBuilder, parts: Parts, weights: Weights) => Value;

function merged(g: GraphBuilder, { x, order, counts }: Parts): Value {
  return g.mergeTokens(x, g.tokenGroups(x, order, counts), counts, SymbolicDim.symbol('merged'));
}

function unmerged(g: GraphBuilder, { x, order, counts }: Parts): Value {
  const groups = g.tokenGroups(x, order, counts);
  return g.unmergeTokens(g.mergeTokens(x, groups, counts, SymbolicDim.symbol('merged')), groups);
}

function rotated(pairs: RotaryPairs): Body {
  return (g, { x, a, b }) => g.rotary(x, { cosines: a, sines: b }, { heads: 2, pairs });
}

/** Each case's operation, by the fixture's name. */
const BODIES: Readonly<Record<string, Body>> = {
  conv3x3: (g, { x }, { weight, bias }) => g.conv2d(x, weight, bias, { padding: 1 }),
  conv_narrow: (g, { x }, { weight, bias }) => g.conv2d(x, weight, bias, { padding: 1 }),
  conv_stride: (g, { x }, { weight, bias }) => g.conv2d(x, weight, bias, { padding: 1, stride: 2 }),
  conv_asymmetric: (g, { x }, { weight }) =>
    g.conv2d(x, weight, undefined, { padding: [0, 0, 1, 1], stride: 2 }),
  conv1x1: (g, { x }, { weight, bias }) => g.conv2d(x, weight, bias),
  conv14x14: (g, { x }, { weight }) => g.conv2d(x, weight, undefined, { stride: 14 }),
  linear: (g, { x }, { weight, bias }) => g.linear(x, weight, bias),
  linear_rows: (g, { x }, { weight }) => g.linear(x, weight),
  group_norm: (g, { x }, { weight, bias }) => g.groupNorm(x, 4, weight, bias, 1e-5),
  group_norm_rows: (g, { x }, { weight, bias }) => g.groupNorm(x, 4, weight, bias, 1e-6),
  layer_norm: (g, { x }, { weight, bias }) => g.layerNorm(x, weight, bias),
  silu: (g, { x }) => g.activation(x, 'silu'),
  gelu: (g, { x }) => g.activation(x, 'gelu'),
  quick_gelu: (g, { x }) => g.activation(x, 'quick_gelu'),
  relu: (g, { x }) => g.activation(x, 'relu'),
  sigmoid: (g, { x }) => g.activation(x, 'sigmoid'),
  tanh: (g, { x }) => g.activation(x, 'tanh'),
  geglu: (g, { x }) => g.geglu(x),
  attention: (g, { query, key, value }) => g.attention(query, key, value, 4),
  attention_causal: (g, { query, key, value }) => g.attention(query, key, value, 4, { causal: true }),
  attention_long: (g, { query, key, value }) => g.attention(query, key, value, 2),
  attention_bias: (g, { query, key, value, scores }) => g.attention(query, key, value, 4, { bias: scores }),
  attention_mask: (g, { query, key, value, scores }) => g.attention(query, key, value, 4, { bias: scores }),
  attention_shared: (g, { query, key, value, scores }) =>
    g.attention(query, key, value, 8, { bias: scores, keyHeads: 2 }),
  relative_bias: (g, { kinds }, { weight }) => g.relativeBias(kinds, weight),
  add: (g, { input, other }) => g.add(input, other),
  scale: (g, { x }) => g.scale(x, 0.18215),
  add_per_channel: (g, { x, v }) => g.addPerChannel(x, v),
  add_rows: (g, { x }, { weight }) => g.addRows(x, weight),
  concat: (g, { a, b }) => g.concat([a, b], 1),
  upsample_double: (g, { x }) => g.upsampleNearest(x, 2),
  upsample_like: (g, { x, like }) => g.upsampleNearest(x, like),
  spatial_to_tokens: (g, { x }) => g.spatialToTokens(x),
  tokens_to_spatial: (g, { x, like }) => g.tokensToSpatial(x, like),
  select_token: (g, { x, index }) => g.selectToken(x, index),
  tiled_attention: (g, { query, key, value, tiles }) => g.tiledAttention(query, key, value, 4, tiles),
  tiled_attention_whole: (g, { query, key, value, tiles }) => g.tiledAttention(query, key, value, 4, tiles),
  attention_received: (g, { query, key }) => g.attentionReceived(query, key, 4),
  attention_received_tiled: (g, { query, key, tiles }) => g.attentionReceived(query, key, 4, tiles),
  merge_few: merged,
  merge_none: merged,
  merge_all: merged,
  unmerge_few: unmerged,
  unmerge_none: unmerged,
  unmerge_all: unmerged,
  scale_channels: (g, { x }) => g.scaleChannels(x, 2, 1.3),
  scale_channels_map: (g, { x, map }) => g.scaleChannels(x, 2, 1.3, map),
  mean_map: (g, { x }) => g.meanMap(x),
  low_frequencies: (g, { x }) => g.scaleLowFrequencies(x, 0.3),
  low_frequencies_small: (g, { x }) => g.scaleLowFrequencies(x, 0.3),
  grouped_conv: (g, { x }, { weight, bias }) =>
    g.groupedConv2d(x, weight, bias, { stride: 2, padding: 1, groups: 6 }),
  dilated_conv: (g, { x }, { weight }) =>
    g.groupedConv2d(x, weight, undefined, { stride: 1, padding: 3, groups: 1, dilation: 3 }),
  resize_corners: (g, { x }) => g.resizeTo(x, x, { factor: 2, keepsCorners: true }),
  leaky_relu: (g, { x }) => g.leakyRelu(x, 0.2),
  rsqrt: (g, { x }) => g.rsqrt(x),
  max_pool: (g, { x }) => g.maxPool(x, { size: 3, stride: 2, padding: 1 }),
  max_pool_same: (g, { x }) => g.maxPool(x, { size: 5, stride: 1, padding: 2 }),
  max_pool_partial: (g, { x }) => g.maxPool(x, { size: 2, stride: 2, padding: 0, partial: true }),
  bilinear_double: (g, { x }) => g.resizeBilinear(x, 2),
  bilinear_half: (g, { x }) => g.resizeBilinear(x, 0.5),
  pad_reflect: (g, { x }) => g.padReflect(x, [1, 2, 3, 0]),
  multiply: (g, { input, other }) => g.multiply(input, other),
  add_constant: (g, { input }, { weight }) => g.addBroadcast(input, g.constant(weight)),
  select_rows: (g, { x }, { weight }) => g.selectRows(x, weight),
  slice_channels: (g, { x }) => g.sliceChannels(x, 1, 3),
  shuffle_channels: (g, { x }) => g.shuffleChannels(x, 3),
  rms_norm: (g, { x }, { weight }) => g.rmsNorm(x, weight, { epsilon: 1e-6 }),
  rms_norm_heads: (g, { x }, { weight }) => g.rmsNorm(x, weight, { heads: 3, epsilon: 1e-6 }),
  rms_norm_plain: (g, { x }) => g.rmsNorm(x, undefined, { heads: 3, epsilon: 1e-6 }),
  rotary_neighbours_shared: rotated('neighbours'),
  rotary_neighbours_rows: rotated('neighbours'),
  rotary_halves_shared: rotated('halves'),
  rotary_halves_rows: rotated('halves'),
  modulate: (g, { x, a, b }) => g.modulate(x, a, b),
  modulate_scale: (g, { x, a }) => g.modulate(x, a),
  modulate_tokens: (g, { x, a, b }) => g.modulate(x, a, b),
  gate: (g, { x, v }) => g.gate(x, v),
  top_shares: (g, { x }) => g.topShares(x, 2),
  centre_heads: (g, { x }) => g.centreHeads(x, 3),
  take_first: (g, { x, like }) => g.takeTokens(x, like, 'first'),
  take_last: (g, { x, like }) => g.takeTokens(x, like, 'last'),
  gelu_tanh: (g, { x }) => g.activation(x, 'gelu_tanh'),
};

/** Every case with its batch and, where there are any, height, width or tokens left symbolic. */
export function operationCases(path: string): OperationCase[] {
  const tensors = readTensors(path);
  const parts = (name: string) =>
    Object.entries(tensors)
      .filter(([key]) => key.startsWith(`${name}.`))
      .map(([key, tensor]) => [key.slice(name.length + 1), tensor] as const);
  return Object.entries(BODIES).map(([name, body]) => {
    const builder = new GraphBuilder(name);
    const inputs: Record<string, Tensor<TensorData>> = {};
    const values: Record<string, Value> = {};
    const weights: Record<string, Weight> = {};
    for (const [part, tensor] of parts(name)) {
      if (part === 'weight' || part === 'bias') {
        weights[part] = weightOf(`${name}.${part}`, tensor);
      } else if (part !== 'out') {
        inputs[part] = tensor;
        const dtype = tensor.data instanceof Int32Array ? 'int32' : 'float32';
        values[part] = builder.input(part, symbolicShape(name, part, tensor.shape), dtype);
      }
    }
    builder.output('out', body(builder, values as Parts, weights as Weights));
    return { name, graph: builder.build(), inputs, expected: tensors[`${name}.out`]! };
  });
}

function symbolicShape(name: string, part: string, shape: readonly number[]): Dim[] {
  const batch = SymbolicDim.symbol('batch');
  const height = SymbolicDim.symbol(
    part === 'like' && name.startsWith('upsample') ? 'like_height' : 'height',
  );
  const width = SymbolicDim.symbol(part === 'like' && name.startsWith('upsample') ? 'like_width' : 'width');
  if (name === 'tokens_to_spatial' && part === 'x') {
    const tokens = SymbolicDim.derived('(height*width)', ({ height, width }) => height! * width!);
    return [batch, tokens, shape[2]!];
  }
  const context = part === 'key' || part === 'value' ? SymbolicDim.symbol('context') : undefined;
  const tokens =
    context !== undefined && name !== 'attention_causal' ? context : SymbolicDim.symbol('tokens');
  if (part === 'scores') {
    const [rows, heads, queries] = shape as [number, number, number, number];
    const ofQueries = queries === 1 ? 1 : SymbolicDim.symbol('tokens');
    return [rows === 1 ? 1 : batch, heads, ofQueries, SymbolicDim.symbol('context')];
  }
  if (part === 'kinds') return [SymbolicDim.symbol('tokens'), SymbolicDim.symbol('context')];
  if (part === 'tiles' || part === 'counts') return [...shape];
  if (name === 'add_constant') return [batch, ...shape.slice(1)];
  if (part === 'order') return [tokens];
  if (name.startsWith('take') && part === 'like') return [batch, SymbolicDim.symbol('taken'), shape[2]!];
  // What is the same for all rows or tokens has an extent of 1.
  if (shape.length === 3 && (part === 'a' || part === 'b')) {
    return [shape[0] === 1 ? 1 : batch, shape[1] === 1 ? 1 : tokens, shape[2]!];
  }
  switch (shape.length) {
    case 4:
      return [batch, shape[1]!, height, width];
    case 3:
      return name === 'group_norm_rows' ? [batch, shape[1]!, tokens] : [batch, tokens, shape[2]!];
    default:
      return [batch, ...shape.slice(1)];
  }
}

/** Root mean square of the difference, relative to that of the expected values. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}
