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
  type Dim,
  type Shape,
} from './dim.js';
import type { Weight } from './weight.js';

export type DType = 'float32' | 'int32';
export type Activation = 'silu' | 'gelu' | 'quick_gelu' | 'relu' | 'sigmoid' | 'tanh';

/** A tensor in the graph. */
export interface Value {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Padding of a convolution in pixels: top, left, bottom, right (ONNX's order). */
export type Padding = readonly [top: number, left: number, bottom: number, right: number];

/** What a node computes; operands are values, parameters are weights. */
export type Operation =
  | {
      readonly kind: 'conv2d';
      readonly x: Value;
      readonly weight: Weight;
      readonly bias: Weight | undefined;
      readonly stride: number;
      readonly padding: Padding;
    }
  | { readonly kind: 'linear'; readonly x: Value; readonly weight: Weight; readonly bias: Weight | undefined }
  | {
      readonly kind: 'group_norm';
      readonly x: Value;
      readonly groups: number;
      readonly weight: Weight;
      readonly bias: Weight;
      readonly epsilon: number;
    }
  | {
      readonly kind: 'layer_norm';
      readonly x: Value;
      readonly weight: Weight;
      readonly bias: Weight;
      readonly epsilon: number;
    }
  | { readonly kind: 'activation'; readonly x: Value; readonly function: Activation }
  /** Splits the last axis in halves (a, b) and yields a·gelu(b). */
  | { readonly kind: 'geglu'; readonly x: Value }
  /** softmax(q·kᵀ/√d)·v per head, on N×T×(heads·d); `causal` hides later tokens. */
  | {
      readonly kind: 'attention';
      readonly query: Value;
      readonly key: Value;
      readonly value: Value;
      readonly heads: number;
      readonly causal: boolean;
    }
  | { readonly kind: 'add'; readonly a: Value; readonly b: Value }
  | { readonly kind: 'scale'; readonly x: Value; readonly factor: number }
  /** x (N×C×H×W) + v (N×C), the same for every pixel. */
  | { readonly kind: 'add_per_channel'; readonly x: Value; readonly v: Value }
  /** x (N×T×C) + the first T rows of the weight (T'×C). */
  | { readonly kind: 'add_rows'; readonly x: Value; readonly weight: Weight }
  | { readonly kind: 'concat'; readonly values: readonly Value[]; readonly axis: number }
  /** Nearest neighbour to the spatial size of `like`, or by a whole factor. */
  | { readonly kind: 'upsample_nearest'; readonly x: Value; readonly to: Value | number }
  /** N×C×H×W → N×(H·W)×C. */
  | { readonly kind: 'spatial_to_tokens'; readonly x: Value }
  /** N×(H·W)×C → N×C×H×W, with H and W of `like`. */
  | { readonly kind: 'tokens_to_spatial'; readonly x: Value; readonly like: Value }
  /** Row `index[n]` of each sequence: N×T×C, N → N×C. */
  | { readonly kind: 'select_token'; readonly x: Value; readonly index: Value };

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

  constructor(private readonly name: string) {}

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
    return { name: this.name, inputs: this.inputs, nodes: this.nodes, outputs: this.outputs };
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
    const [batch, tokens, features] = this.shapeOf(query, 3, 'attention');
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
    return this.emit({ kind: 'attention', query, key, value, heads, causal: options.causal ?? false }, [
      batch,
      tokens,
      features,
    ]);
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
    return this.emit({ kind: 'concat', values, axis }, shape);
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

  private emit(operation: Operation, shape: Shape): Value {
    const output = this.value(shape, 'float32');
    this.nodes.push({ layer: this.path.join('.'), operation, output });
    return output;
  }

  private value(shape: Shape, dtype: DType): Value {
    return { id: this.values++, shape, dtype };
  }

  private shapeOf(x: Value, rank: 3, kind: Operation['kind']): readonly [Dim, Dim, Dim];
  private shapeOf(x: Value, rank: 4, kind: Operation['kind']): readonly [Dim, Dim, Dim, Dim];
  private shapeOf(x: Value, rank: number, kind: Operation['kind']): Shape {
    this.check(x.shape.length === rank, `${kind} needs ${rank} axes, got ${formatShape(x.shape)}`);
    return x.shape;
  }

  private weightShape(weight: Weight, rank: 2): readonly [number, number];
  private weightShape(weight: Weight, rank: 4): readonly [number, number, number, number];
  private weightShape(weight: Weight, rank: number): readonly number[] {
    this.check(
      weight.shape.length === rank,
      `${weight.name} should have ${rank} axes, has ${formatShape(weight.shape)}`,
    );
    return weight.shape;
  }

  private checkVector(vector: Weight | undefined, length: Dim | undefined, owner: Weight): void {
    if (vector === undefined) return;
    this.check(
      vector.shape.length === 1 && vector.shape[0] === length,
      `${vector.name} should have shape [${String(length)}] beside ${owner.name}, has ${formatShape(vector.shape)}`,
    );
  }

  private check(condition: boolean, message: string): asserts condition {
    if (!condition) throw this.error(message);
  }

  private error(message: string): GraphError {
    return new GraphError(`${this.name}${this.path.map((part) => `.${part}`).join('')}: ${message}`);
  }
}

function uniform(pixels: number): Padding {
  return [pixels, pixels, pixels, pixels];
}
