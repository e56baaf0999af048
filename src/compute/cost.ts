/**
 * What a graph's evaluation costs at given extents, counted from the graph alone: the least that any implementation which
 * computes one operation after the other has to do.
 *
 * A multiplication and an addition count as one FLOP each, and so does a comparison, a division or a transcendental function.
 * Bytes are each operation's operands, weights and result, once each and in float32, weights as they are stored; a backend
 * that fuses operations or keeps tensors in its caches moves less. Nominal counts: Winograd's convolutions, for one,
 * multiply less than this.
 */
import { evaluateDim, type DimBindings, type Shape } from './dim.js';
import type { Activation, Graph, GraphNode, Operation, Value } from './graph.js';
import { bytesOf } from '../native/dtypes.js';
import { elementCount } from './tensor.js';
import type { Weight } from './weight.js';

export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

export interface NodeCost extends Cost {
  readonly layer: string;
  readonly kind: Operation['kind'];
}

export interface GraphCost extends Cost {
  /** Of `bytes`, what the weights take. */
  readonly weightBytes: number;
  /** In the graph's order. */
  readonly nodes: readonly NodeCost[];
}

/** The extents of a graph's symbols when its inputs have these shapes; inputs left out bind nothing. */
export function bindDims(graph: Graph, shapes: Readonly<Record<string, readonly number[]>>): DimBindings {
  const bindings: Record<string, number> = {};
  for (const { name, value } of graph.inputs) {
    value.shape.forEach((dim, axis) => {
      const extent = shapes[name]?.[axis];
      if (typeof dim !== 'number' && extent !== undefined) bindings[dim.text] ??= extent;
    });
  }
  return bindings;
}

/** Throws `RangeError` for a symbol that `bindings` lacks. */
export function graphCost(graph: Graph, bindings: DimBindings): GraphCost {
  const nodes: NodeCost[] = [];
  const total = { flops: 0, bytes: 0, weightBytes: 0 };
  for (const node of graph.nodes) {
    const { flops, bytes, weightBytes } = costOf(node, bindings);
    nodes.push({ layer: node.layer, kind: node.operation.kind, flops, bytes });
    total.flops += flops;
    total.bytes += bytes;
    total.weightBytes += weightBytes;
  }
  return { ...total, nodes };
}

/** FLOPs for each element: silu is x / (1 + exp(−x)), gelu x/2·(1 + erf(x/√2)). */
const ACTIVATION_FLOPS: Readonly<Record<Activation, number>> = {
  ...{ relu: 1, tanh: 1 },
  ...{ sigmoid: 4, silu: 4, quick_gelu: 4 },
  gelu: 5,
};

/** Mean (1), variance (3), normalisation (2), weight and bias (2). */
const NORM_FLOPS = 8;

/** For each score: scale, maximum, difference, exponential, sum, quotient. */
const SOFTMAX_FLOPS = 6;

function costOf({ operation, output }: GraphNode, bindings: DimBindings): Cost & { weightBytes: number } {
  const extents = (shape: Shape) => shape.map((dim) => evaluateDim(dim, bindings));
  const count = (value: Value) => elementCount(extents(value.shape));
  const results = count(output);
  const cost = (flops: number, read: readonly Value[], weights: readonly (Weight | undefined)[] = []) => {
    const weightBytes = weights.reduce((sum, weight) => sum + storedBytes(weight), 0);
    const values = read.reduce((sum, value) => sum + count(value), results);
    return { flops, bytes: values * Float32Array.BYTES_PER_ELEMENT + weightBytes, weightBytes };
  };

  switch (operation.kind) {
    case 'conv2d':
    case 'linear': {
      const { x, weight, bias } = operation;
      const inner = elementCount(weight.shape.slice(1));
      return cost(results * (2 * inner + (bias === undefined ? 0 : 1)), [x], [weight, bias]);
    }
    case 'group_norm':
    case 'layer_norm':
      return cost(results * NORM_FLOPS, [operation.x], [operation.weight, operation.bias]);
    case 'activation':
      return cost(results * ACTIVATION_FLOPS[operation.function], [operation.x]);
    case 'geglu':
      return cost(results * (ACTIVATION_FLOPS.gelu + 1), [operation.x]);
    case 'attention': {
      const { query, key, value, heads, causal } = operation;
      const [rows, tokens, channels] = extents(query.shape) as [number, number, number];
      const scores = rows * visiblePairs(tokens, extents(key.shape)[1]!, causal);
      return cost(scores * (4 * channels + SOFTMAX_FLOPS * heads), [query, key, value]);
    }
    case 'tiled_attention': {
      // Of the whole picture: how it is cut is known only when it is.
      const { query, key, value, heads } = operation;
      const [rows, tokens, channels] = extents(query.shape) as [number, number, number];
      return cost(rows * tokens * tokens * (4 * channels + SOFTMAX_FLOPS * heads), [query, key, value]);
    }
    case 'attention_received': {
      const { query, key, heads } = operation;
      const [rows, tokens, channels] = extents(query.shape) as [number, number, number];
      const scores = rows * tokens * extents(key.shape)[1]!;
      return cost(scores * (2 * channels + (SOFTMAX_FLOPS + 2) * heads), [query, key]);
    }
    case 'token_groups': {
      const { x, order, counts } = operation;
      const [rows, tokens, channels] = extents(x.shape) as [number, number, number];
      // One destination among four tokens, as tokens are merged in practice.
      const pairs = (rows * tokens * tokens * 3) / 16;
      return cost(pairs * (2 * channels + 1) + rows * tokens * channels * 3, [x, order, counts]);
    }
    case 'merge_tokens':
      return cost(count(operation.x) + results, [operation.x, operation.groups]);
    case 'unmerge_tokens':
      return cost(0, [operation.x, operation.groups]);
    case 'scale_channels':
      return cost(results, [operation.x]);
    case 'mean_map':
      return cost(count(operation.x) + 4 * results, [operation.x]);
    case 'scale_low_frequencies': {
      const [, , height, width] = extents(operation.x.shape) as [number, number, number, number];
      return cost(results * (4 * (height + width) + 3), [operation.x]);
    }
    case 'add':
      return cost(results, [operation.a, operation.b]);
    case 'scale':
      return cost(results, [operation.x]);
    case 'add_per_channel':
      return cost(results, [operation.x, operation.v]);
    case 'add_rows':
      return cost(results, [operation.x], [operation.weight]);
    case 'concat':
      return cost(0, operation.values);
    case 'upsample_nearest':
      return cost(0, [operation.x]);
    case 'select_token':
      // A row of each sequence, and where it is.
      return cost(0, [output, operation.index]);
    case 'grouped_conv2d': {
      const { x, weight, bias } = operation;
      const inner = elementCount(weight.shape.slice(1));
      return cost(results * (2 * inner + (bias === undefined ? 0 : 1)), [x], [weight, bias]);
    }
    case 'leaky_relu':
      return cost(results, [operation.x]);
    case 'rsqrt':
      return cost(2 * results, [operation.x]);
    case 'max_pool':
      return cost(results * operation.size ** 2, [operation.x]);
    case 'resize_bilinear':
      return cost(results * 8, [operation.x]);
    case 'pad_reflect':
    case 'slice_channels':
    case 'shuffle_channels':
      return cost(0, [operation.x]);
    case 'broadcast':
      return cost(results, [operation.a, operation.b]);
    case 'constant':
      return cost(0, [], [operation.weight]);
    case 'shift':
    case 'scale_features':
    case 'scale_per_channel':
    case 'prelu':
      return cost(results, [operation.x]);
    case 'mish':
      return cost(results * 5, [operation.x]);
    case 'mean_pixels':
      return cost(count(operation.x), [operation.x]);
    case 'resize_to':
      return cost(results * 7, [operation.x]);
    case 'sample_offsets':
      return cost(results * 12, [operation.x, operation.offsets]);
    case 'window_attention': {
      const { query, key, value, heads, bias } = operation;
      const [rows, tokens, channels] = extents(query.shape) as [number, number, number];
      const scores = rows * tokens * extents(key.shape)[1]!;
      return cost(scores * (4 * channels + SOFTMAX_FLOPS * heads), [query, key, value], [bias]);
    }
    case 'channel_attention': {
      const { query, key, value, heads, temperature } = operation;
      const [rows, tokens, channels] = extents(query.shape) as [number, number, number];
      return cost((rows * tokens * channels * channels * 4) / heads, [query, key, value], [temperature]);
    }
    case 'normalize_heads':
      return cost(results * 3, [operation.x]);
    case 'pixel_shuffle':
    case 'pixel_unshuffle':
    case 'slice':
    case 'roll':
    case 'windows':
    case 'join_windows':
    case 'pad_multiple':
    case 'crop_like':
    case 'combs':
    case 'join_combs':
    case 'wide_windows':
      return cost(0, [operation.x]);
    case 'select_rows':
      return cost(count(operation.scores), [operation.scores], [operation.table]);
    case 'spatial_to_tokens':
    case 'tokens_to_spatial':
      // The same values in another order of axes: whether anything moves is the backend's choice of layout.
      return { flops: 0, bytes: 0, weightBytes: 0 };
  }
}

/** Of tokens that ask and tokens that are asked; a causal one sees itself and those before it. */
function visiblePairs(queries: number, keys: number, causal: boolean): number {
  if (!causal) return queries * keys;
  const seeing = Math.min(queries, keys);
  return (seeing * (seeing + 1)) / 2 + (queries - seeing) * keys;
}

function storedBytes(weight: Weight | undefined): number {
  if (weight === undefined) return 0;
  return bytesOf(weight.stored?.dtype ?? 'F32', elementCount(weight.shape));
}
