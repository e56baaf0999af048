/** How each operation is written for channel-major tensors: the heavy ones as our kernels, the rest as ONNX's operators. */
import type { Operation, Value } from '../../graph.js';
import type { Weight } from '../../weight.js';
import type { Attributes } from '../model.js';
import type { ChannelMajorContext } from './context.js';
import { isLargeAndNarrow, type Fusion } from './fusion.js';
import { PART_LOWERINGS } from './parts.js';
import { plainConvolution, RESTORATION_LOWERINGS } from './restoration.js';
import { PICTURE_LOWERINGS } from './pictures.js';
import { widened } from './weight-table.js';

type OperationOf<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;

/** Lowers one operation with what was fused to it, and returns the name of the result. */
export type ChannelMajorLowering<Kind extends Operation['kind']> = (
  operation: OperationOf<Kind>,
  context: ChannelMajorContext,
  fusion: Fusion,
) => string;

/** native/compute/kernels.h, enum Activation. */
const ACTIVATION = { none: 0, silu: 1, gelu: 2, quick_gelu: 3, geglu: 4, leaky_relu: 5 } as const;

/** The activation of a fused product, and the slopes of a leaky one. */
function fused(context: ChannelMajorContext, fusion: Fusion, outputs: number): Attributes {
  const { slope } = fusion;
  const activation = slope === undefined ? (fusion.activation ?? 'none') : 'leaky_relu';
  const slopes = typeof slope === 'number' ? constantWeight(outputs, slope) : slope;
  return { activation: ACTIVATION[activation], slopes: context.weights.vector(slopes) };
}

function constantWeight(count: number, value: number): Weight {
  return { name: 'constant', shape: [count], read: (into) => void into.fill(value) };
}

const conv2d: ChannelMajorLowering<'conv2d'> = (operation, context, fusion) => {
  if (isLargeAndNarrow(operation)) return plainConvolution(operation, 1, context);
  const [outputs, inputs, kernelHeight, kernelWidth] = operation.weight.shape as [
    number,
    number,
    number,
    number,
  ];
  const [top, left, bottom, right] = operation.padding;
  const [x, ...more] = context.partsOf(operation.x);
  const [sums, residual] = [fusion.sums, fusion.residual].map((value) => value && context.name(value));
  const operands = [x, sums, residual, ...more];
  return context.kernel('Convolution', operands, {
    inputs,
    outputs,
    kernel_height: kernelHeight,
    kernel_width: kernelWidth,
    stride: operation.stride,
    top,
    left,
    bottom,
    right,
    weight: context.weights.matrix(operation.weight),
    bias: context.weights.vector(operation.bias),
    ...fused(context, fusion, outputs),
  });
};

const linear: ChannelMajorLowering<'linear'> = (operation, context, fusion) => {
  const [outputs, inputs] = operation.weight.shape as [number, number];
  const operands = [operation.x, fusion.residual].map((value) => value && context.name(value));
  return context.kernel('Linear', operands, {
    inputs,
    outputs,
    weight: context.weights.matrix(operation.weight),
    bias: context.weights.vector(operation.bias),
    ...fused(context, fusion, outputs),
  });
};

/** Of N×T×C, `group_norm` takes T for the channels, as torch does; that axis must come first. */
const TOKENS_FIRST = [2, 1, 0];

const groupNorm: ChannelMajorLowering<'group_norm'> = (operation, context, fusion) => {
  const { groups, weight, bias, epsilon, x } = operation;
  const swap = (name: string): string =>
    x.shape.length === 3 ? context.node('Transpose', [name], { perm: TOKENS_FIRST }) : name;
  return swap(
    context.kernel('GroupNorm', [swap(context.name(x))], {
      channels: weight.shape[0]!,
      groups,
      weight: context.weights.vector(weight),
      bias: context.weights.vector(bias),
      epsilon: { float: epsilon },
      silu: fusion.activation === 'silu' ? 1 : 0,
    }),
  );
};

const layerNorm: ChannelMajorLowering<'layer_norm'> = ({ x, weight, bias, epsilon }, context) => {
  // The last axis is the channels' for tokens and vectors.
  return context.kernel('LayerNorm', [context.name(x)], {
    channels: weight.shape[0]!,
    weight: context.weights.vector(weight),
    bias: context.weights.vector(bias),
    epsilon: { float: epsilon },
  });
};

const attention: ChannelMajorLowering<'attention'> = (operation, context) =>
  context.kernel(
    'Attention',
    [operation.query, operation.key, operation.value].map((value) => context.name(value)),
    { heads: operation.heads, causal: operation.causal ? 1 : 0 },
  );

const activate = (context: ChannelMajorContext, x: string, name: keyof typeof ACTIVATION): string =>
  context.kernel('Activate', [x], { activation: ACTIVATION[name] });

const activation: ChannelMajorLowering<'activation'> = (operation, context) => {
  const x = context.name(operation.x);
  switch (operation.function) {
    case 'relu':
      return context.node('Relu', [x]);
    case 'sigmoid':
      return context.node('Sigmoid', [x]);
    case 'tanh':
      return context.node('Tanh', [x]);
    default:
      return activate(context, x, operation.function);
  }
};

const geglu: ChannelMajorLowering<'geglu'> = ({ x }, context) => {
  const { model } = context;
  const axis = context.axis(x.shape.length - 1, x.shape.length);
  const half = (x.shape.at(-1) as number) / 2;
  const part = (from: number): string =>
    context.node('Slice', [
      context.name(x),
      model.ints([from]),
      model.ints([from + half]),
      model.ints([axis]),
    ]);
  return context.node('Mul', [part(0), activate(context, part(half), 'gelu')]);
};

const add: ChannelMajorLowering<'add'> = ({ a, b }, context) =>
  context.node('Add', [context.name(a), context.name(b)]);

const scale: ChannelMajorLowering<'scale'> = ({ x, factor }, context) =>
  context.node('Mul', [context.name(x), context.model.floats([], [factor])]);

const addPerChannel: ChannelMajorLowering<'add_per_channel'> = ({ x, v }, context) => {
  const perPixel = context.node('Unsqueeze', [context.name(v), context.model.ints([2, 3])]);
  return context.node('Add', [context.name(x), perPixel]);
};

const addRows: ChannelMajorLowering<'add_rows'> = ({ x, weight }, context) => {
  const { model } = context;
  const [rows, channels] = weight.shape as [number, number];
  const values = widened(weight);
  const transposed = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < channels; c++) transposed[c * rows + row] = values[row * channels + c]!;
  }
  const tokens = context.node('Shape', [context.name(x)], { start: 2, end: 3 });
  const first = context.node('Slice', [
    model.floatTensor([channels, 1, rows], transposed),
    model.ints([0]),
    tokens,
    model.ints([2]),
  ]);
  return context.node('Add', [context.name(x), first]);
};

const concat: ChannelMajorLowering<'concat'> = ({ values, axis }, context) =>
  context.node(
    'Concat',
    values.map((value) => context.name(value)),
    { axis: context.axis(axis, values[0]!.shape.length) },
  );

/** Floor of the scaled coordinate, as torch.nn.functional.interpolate(mode='nearest'). */
const NEAREST = {
  mode: 'nearest',
  coordinate_transformation_mode: 'asymmetric',
  nearest_mode: 'floor',
} as const;

const upsampleNearest: ChannelMajorLowering<'upsample_nearest'> = ({ x, to }, context) => {
  if (typeof to === 'number') {
    return context.node('Resize', [context.name(x), '', context.model.floats([4], [1, 1, to, to])], NEAREST);
  }
  const unchanged = context.node('Shape', [context.name(x)], { start: 0, end: 2 });
  const sizes = context.node('Concat', [unchanged, spatialExtents(context, to)], { axis: 0 });
  return context.node('Resize', [context.name(x), '', '', sizes], NEAREST);
};

const spatialExtents = (context: ChannelMajorContext, value: Value): string =>
  context.node('Shape', [context.name(value)], { start: 2, end: 4 });

const spatialToTokens: ChannelMajorLowering<'spatial_to_tokens'> = ({ x }, context) =>
  context.node('Reshape', [context.name(x), context.model.ints([0, 0, -1])]);

const tokensToSpatial: ChannelMajorLowering<'tokens_to_spatial'> = ({ x, like }, context) => {
  const shape = context.node('Concat', [context.model.ints([0, 0]), spatialExtents(context, like)], {
    axis: 0,
  });
  return context.node('Reshape', [context.name(x), shape]);
};

const selectToken: ChannelMajorLowering<'select_token'> = ({ x, index }, context) => {
  const tokens = context.toGraphOrder(context.name(x), 3);
  const wide = context.node('Cast', [context.name(index)], { to: 7 });
  const indices = context.node('Unsqueeze', [wide, context.model.ints([1])]);
  return context.fromGraphOrder(context.node('GatherND', [tokens, indices], { batch_dims: 1 }), 2);
};

export const CHANNEL_MAJOR_LOWERINGS: { readonly [Kind in Operation['kind']]: ChannelMajorLowering<Kind> } = {
  conv2d,
  linear,
  group_norm: groupNorm,
  layer_norm: layerNorm,
  activation,
  geglu,
  attention,
  add,
  scale,
  add_per_channel: addPerChannel,
  add_rows: addRows,
  concat,
  upsample_nearest: upsampleNearest,
  spatial_to_tokens: spatialToTokens,
  tokens_to_spatial: tokensToSpatial,
  select_token: selectToken,
  ...PART_LOWERINGS,
  ...RESTORATION_LOWERINGS,
  ...PICTURE_LOWERINGS,
};
