/**
 * The compute graph: layers in the order in which data flows, shapes checked as each is added. It knows tensors and layers,
 * not diffusion; backends lower it (`onnx/` for ONNX Runtime, later CUDA).
 *
 * Layouts are torch's: images are N×C×H×W, token sequences N×T×C, convolution kernels O×I×kH×kW, linear weights O×I.
 */
import {
  addDims,
  convolvedDim,
  formatShape,
  multiplyDims,
  sameDim,
  sameShape,
  SymbolicDim,
  type Dim,
  type Shape,
} from './dim.js';
import type { Activation, DType, Operation, Padding, Value } from './operation.js';
import type { Weight } from './weight.js';

export type { Activation, DType, Operation, Padding, Value } from './operation.js';

export interface GraphNode {
  /** The layer's path, as in `input_blocks.1.1.transformer_blocks.0.attn1`. */
  readonly layer: string;
  readonly operation: Operation;
  readonly output: Value;
}

export interface GraphInput {
  readonly name: string;
  readonly value: Value;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  /** In an order in which every operand comes before its use. */
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly GraphInput[];
  /**
   * Whether a backend may round operands of its products to bfloat16 when it is asked to (precision bf16): true of networks that
   * run so often that it pays.
   */
  readonly mayRound: boolean;
  /** `wide`: values may be too large for float16. */
  readonly range?: 'wide';
}

/** A shape that does not fit, found while a graph is built. The message names the layer. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
}

export class GraphBuilder {
  private readonly inputs: GraphInput[] = [];
  private readonly nodes: GraphNode[] = [];
  private readonly outputs: GraphInput[] = [];
  private path: string[] = [];
  private values = 0;

  constructor(
    private readonly name: string,
    private readonly options: Partial<Pick<Graph, 'mayRound' | 'range'>> = {},
  ) {}

  /** Builds the layers of `body` under the path segment `layer`. */
  within<Result>(layer: string, body: () => Result): Result {
    this.path.push(layer);
    try {
      return body();
    } finally {
      this.path.pop();
    }
  }

  input(name: string, shape: Shape, dtype: DType = 'float32'): Value {
    const value = this.value(shape, dtype);
    this.inputs.push({ name, value });
    return value;
  }

  output(name: string, value: Value): void {
    this.outputs.push({ name, value });
  }

  build(): Graph {
    const { name, inputs, nodes, outputs } = this;
    const { mayRound = false, range } = this.options;
    return { name, inputs, nodes, outputs, mayRound, ...(range === undefined ? {} : { range }) };
  }

  conv2d(
    x: Value,
    weight: Weight,
    bias?: Weight,
    options: { readonly stride?: number; readonly padding?: number | Padding } = {},
  ): Value {
    const [outputs, inputs, kernelHeight, kernelWidth] = this.weightShape(weight, 4);
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'conv2d');
    this.check(
      channels === inputs,
      `conv2d needs ${inputs} channels for ${weight.name}, got ${formatShape(x.shape)}`,
    );
    this.checkVector(bias, outputs, weight);
    const stride = options.stride ?? 1;
    const padding = typeof options.padding === 'object' ? options.padding : uniform(options.padding ?? 0);
    const [top, left, bottom, right] = padding;
    return this.emit({ kind: 'conv2d', x, weight, bias, stride, padding }, [
      batch,
      outputs,
      convolvedDim(height, kernelHeight, stride, top + bottom),
      convolvedDim(width, kernelWidth, stride, left + right),
    ]);
  }

  /** x·Wᵀ + b on the last axis; x has two or three axes. */
  linear(x: Value, weight: Weight, bias?: Weight): Value {
    const [outputs, inputs] = this.weightShape(weight, 2);
    const last = x.shape.at(-1);
    this.check(
      last === inputs,
      `linear needs ${inputs} features for ${weight.name}, got ${formatShape(x.shape)}`,
    );
    this.checkVector(bias, outputs, weight);
    return this.emit({ kind: 'linear', x, weight, bias }, [...x.shape.slice(0, -1), outputs]);
  }

  /** Group normalisation over N×C×H×W (or N×C×T), as torch.nn.GroupNorm. */
  groupNorm(x: Value, groups: number, weight: Weight, bias: Weight, epsilon: number): Value {
    const channels = x.shape[1];
    this.check(
      typeof channels === 'number' && channels % groups === 0,
      `group_norm needs channels divisible by ${groups}, got ${formatShape(x.shape)}`,
    );
    this.checkVector(weight, channels, weight);
    this.checkVector(bias, channels, weight);
    return this.emit({ kind: 'group_norm', x, groups, weight, bias, epsilon }, x.shape);
  }

  /** Layer normalisation over the last axis. */
  layerNorm(x: Value, weight: Weight, bias: Weight, epsilon = 1e-5): Value {
    const features = x.shape.at(-1);
    this.checkVector(weight, features, weight);
    this.checkVector(bias, features, weight);
    return this.emit({ kind: 'layer_norm', x, weight, bias, epsilon }, x.shape);
  }

  activation(x: Value, fn: Activation): Value {
    return this.emit({ kind: 'activation', x, function: fn }, x.shape);
  }

  geglu(x: Value): Value {
    const features = x.shape.at(-1);
    this.check(
      typeof features === 'number' && features % 2 === 0,
      `geglu needs an even last axis, got ${formatShape(x.shape)}`,
    );
    return this.emit({ kind: 'geglu', x }, [...x.shape.slice(0, -1), features / 2]);
  }

  attention(
    query: Value,
    key: Value,
    value: Value,
    heads: number,
    options: { readonly causal?: boolean } = {},
  ): Value {
    this.checkAttention(query, key, value, heads);
    const causal = options.causal ?? false;
    return this.emit({ kind: 'attention', query, key, value, heads, causal }, query.shape);
  }

  add(a: Value, b: Value): Value {
    this.check(
      sameShape(a.shape, b.shape),
      `add needs equal shapes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
    return this.emit({ kind: 'add', a, b }, a.shape);
  }

  scale(x: Value, factor: number): Value {
    return this.emit({ kind: 'scale', x, factor }, x.shape);
  }

  addPerChannel(x: Value, v: Value): Value {
    const [batch, channels] = this.shapeOf(x, 4, 'add_per_channel');
    this.check(
      sameShape(v.shape, [batch, channels]),
      `add_per_channel can't add ${formatShape(v.shape)} to ${formatShape(x.shape)}`,
    );
    return this.emit({ kind: 'add_per_channel', x, v }, x.shape);
  }

  addRows(x: Value, weight: Weight): Value {
    const [rows, features] = this.weightShape(weight, 2);
    const [, tokens, channels] = this.shapeOf(x, 3, 'add_rows');
    this.check(
      channels === features && (typeof tokens !== 'number' || tokens <= rows),
      `add_rows can't add ${weight.name} ${formatShape(weight.shape)} to ${formatShape(x.shape)}`,
    );
    return this.emit({ kind: 'add_rows', x, weight }, x.shape);
  }

  concat(values: readonly Value[], axis: number): Value {
    const [first, ...rest] = values;
    if (first === undefined) throw this.error('concat needs at least one value');
    let extent = first.shape[axis];
    if (extent === undefined) throw this.error(`concat has no axis ${axis} in ${formatShape(first.shape)}`);
    for (const value of rest) {
      const fits =
        value.shape.length === first.shape.length &&
        value.shape.every((dim, index) => index === axis || sameDim(dim, first.shape[index]!));
      this.check(
        fits,
        `concat along ${axis} can't join ${formatShape(first.shape)} and ${formatShape(value.shape)}`,
      );
      extent = addDims(extent, value.shape[axis]!);
    }
    const shape = first.shape.map((dim, index) => (index === axis ? extent : dim));
    return this.emit({ kind: 'concat', values: [...values], axis }, shape);
  }

  upsampleNearest(x: Value, to: Value | number): Value {
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'upsample_nearest');
    const size =
      typeof to === 'number'
        ? [multiplyDims(height, to), multiplyDims(width, to)]
        : this.shapeOf(to, 4, 'upsample_nearest').slice(2);
    return this.emit({ kind: 'upsample_nearest', x, to }, [batch, channels, ...size]);
  }

  spatialToTokens(x: Value): Value {
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'spatial_to_tokens');
    return this.emit({ kind: 'spatial_to_tokens', x }, [batch, multiplyDims(height, width), channels]);
  }

  tokensToSpatial(x: Value, like: Value): Value {
    const [batch, tokens, channels] = this.shapeOf(x, 3, 'tokens_to_spatial');
    const [, , height, width] = this.shapeOf(like, 4, 'tokens_to_spatial');
    this.check(
      sameDim(tokens, multiplyDims(height, width)),
      `tokens_to_spatial can't lay ${formatShape(x.shape)} out as ${formatShape(like.shape)}`,
    );
    return this.emit({ kind: 'tokens_to_spatial', x, like }, [batch, channels, height, width]);
  }

  selectToken(x: Value, index: Value): Value {
    const [batch, , channels] = this.shapeOf(x, 3, 'select_token');
    this.check(
      index.dtype === 'int32' && sameShape(index.shape, [batch]),
      `select_token needs one int32 index a sequence, got ${formatShape(index.shape)}`,
    );
    return this.emit({ kind: 'select_token', x, index }, [batch, channels]);
  }

  tiledAttention(query: Value, key: Value, value: Value, heads: number, tiles: Value): Value {
    this.checkAttention(query, key, value, heads);
    this.checkTiles(tiles);
    return this.emit({ kind: 'tiled_attention', query, key, value, heads, tiles }, query.shape);
  }

  attentionReceived(query: Value, key: Value, heads: number, tiles?: Value): Value {
    this.checkAttention(query, key, key, heads);
    const [batch, tokens] = key.shape as [Dim, Dim];
    if (tiles !== undefined) this.checkTiles(tiles);
    const received = tiles === undefined ? tokens : SymbolicDim.symbol('tile');
    return this.emit({ kind: 'attention_received', query, key, heads, tiles }, [batch, received]);
  }

  tokenGroups(x: Value, order: Value, counts: Value): Value {
    const [batch, tokens] = this.shapeOf(x, 3, 'token_groups');
    this.checkIndices(order, [tokens], 'token_groups needs an int32 place for each token');
    this.checkIndices(counts, [2], 'token_groups needs two int32 counts');
    return this.emit({ kind: 'token_groups', x, order, counts }, [batch, tokens], 'int32');
  }

  /** `merged` is how many tokens are left. */
  mergeTokens(x: Value, groups: Value, counts: Value, merged: Dim): Value {
    const [batch, tokens, channels] = this.shapeOf(x, 3, 'merge_tokens');
    this.checkIndices(groups, [batch, tokens], 'merge_tokens needs an int32 group for each token');
    this.checkIndices(counts, [2], 'merge_tokens needs two int32 counts');
    return this.emit({ kind: 'merge_tokens', x, groups, counts }, [batch, merged, channels]);
  }

  unmergeTokens(x: Value, groups: Value): Value {
    const [batch, , channels] = this.shapeOf(x, 3, 'unmerge_tokens');
    const tokens = groups.shape[1] ?? 0;
    this.checkIndices(groups, [batch, tokens], 'unmerge_tokens needs an int32 group for each token');
    return this.emit({ kind: 'unmerge_tokens', x, groups }, [batch, tokens, channels]);
  }

  scaleChannels(x: Value, channels: number, factor: number, map?: Value): Value {
    const [batch, all, ...size] = this.shapeOf(x, 4, 'scale_channels');
    this.check(typeof all === 'number' && channels <= all, `scale_channels has no ${channels} channels`);
    this.check(
      map === undefined || sameShape(map.shape, [batch, 1, ...size]),
      `scale_channels needs a map of the size of ${formatShape(x.shape)}`,
    );
    return this.emit({ kind: 'scale_channels', x, channels, factor, map }, x.shape);
  }

  meanMap(x: Value): Value {
    const [batch, , ...size] = this.shapeOf(x, 4, 'mean_map');
    return this.emit({ kind: 'mean_map', x }, [batch, 1, ...size]);
  }

  scaleLowFrequencies(x: Value, factor: number): Value {
    this.shapeOf(x, 4, 'scale_low_frequencies');
    return this.emit({ kind: 'scale_low_frequencies', x, factor }, x.shape);
  }

  private checkAttention(query: Value, key: Value, value: Value, heads: number): void {
    const [batch, , features] = this.shapeOf(query, 3, 'attention');
    const [keyBatch, keyTokens, keyFeatures] = this.shapeOf(key, 3, 'attention');
    const [valueBatch, valueTokens, valueFeatures] = this.shapeOf(value, 3, 'attention');
    const shapes = [query, key, value].map((operand) => formatShape(operand.shape)).join(', ');
    this.check(
      sameDim(batch, keyBatch) && sameDim(batch, valueBatch) && sameDim(keyTokens, valueTokens),
      `attention's operands disagree: ${shapes}`,
    );
    this.check(
      typeof features === 'number' &&
        features % heads === 0 &&
        features === keyFeatures &&
        features === valueFeatures,
      `attention with ${heads} heads can't split ${shapes}`,
    );
  }

  private checkIndices(value: Value, shape: Shape, message: string): void {
    const fits = value.dtype === 'int32' && sameShape(value.shape, shape);
    this.check(fits, `${message}, got ${value.dtype} ${formatShape(value.shape)}`);
  }

  private checkTiles(tiles: Value): void {
    this.checkIndices(tiles, [4], 'attention in tiles needs them as 4 int32 numbers');
  }

  protected emit(operation: Operation, shape: Shape, dtype: DType = 'float32'): Value {
    const output = this.value(shape, dtype);
    this.nodes.push({ layer: this.path.join('.'), operation, output });
    return output;
  }

  private value(shape: Shape, dtype: DType): Value {
    return { id: this.values++, shape, dtype };
  }

  protected shapeOf(x: Value, rank: 3, kind: Operation['kind']): readonly [Dim, Dim, Dim];
  protected shapeOf(x: Value, rank: 4, kind: Operation['kind']): readonly [Dim, Dim, Dim, Dim];
  protected shapeOf(x: Value, rank: number, kind: Operation['kind']): Shape {
    this.check(x.shape.length === rank, `${kind} needs ${rank} axes, got ${formatShape(x.shape)}`);
    return x.shape;
  }

  protected weightShape(weight: Weight, rank: 2): readonly [number, number];
  protected weightShape(weight: Weight, rank: 4): readonly [number, number, number, number];
  protected weightShape(weight: Weight, rank: number): readonly number[] {
    this.check(
      weight.shape.length === rank,
      `${weight.name} should have ${rank} axes, has ${formatShape(weight.shape)}`,
    );
    return weight.shape;
  }

  protected checkVector(vector: Weight | undefined, length: Dim | undefined, owner: Weight): void {
    if (vector === undefined) return;
    this.check(
      vector.shape.length === 1 && vector.shape[0] === length,
      `${vector.name} should have shape [${String(length)}] beside ${owner.name}, has ${formatShape(vector.shape)}`,
    );
  }

  protected check(condition: boolean, message: string): asserts condition {
    if (!condition) throw this.error(message);
  }

  protected error(message: string): GraphError {
    return new GraphError(`${this.name}${this.path.map((part) => `.${part}`).join('')}: ${message}`);
  }
}

function uniform(pixels: number): Padding {
  return [pixels, pixels, pixels, pixels];
}
