/** Operations on pictures, C×N×H×W. Those that ONNX Runtime wants in its own order are turned around for it: for one picture that costs a copy. */
import type { PictureOperation } from '../../picture-operation.js';
import type { Weight } from '../../weight.js';
import * as parts from '../picture-parts.js';
import type { ChannelMajorContext } from './context.js';
import type { ChannelMajorLowering } from './operations.js';
import { widened } from './weight-table.js';

/** Runs `body` on a picture in the graph's order of axes. */
function inGraphOrder(context: ChannelMajorContext, x: string, body: (x: string) => string): string {
  return context.fromGraphOrder(body(context.toGraphOrder(x, 4)), 4);
}

/** A weight's values as a constant of another shape. */
function constant(context: ChannelMajorContext, weight: Weight, shape: readonly number[]): string {
  return context.model.floatTensor(shape, widened(weight));
}

/** A channels' vector beside a value of rank `rank`. */
function alongChannels(context: ChannelMajorContext, weight: Weight, rank: number): string {
  return constant(context, weight, [weight.shape[0]!, ...new Array<number>(rank - 1).fill(1)]);
}

const channelsOf = (shape: readonly unknown[], axis: number): number => Number(shape[axis]);

export const PICTURE_LOWERINGS: {
  readonly [Kind in PictureOperation['kind']]: ChannelMajorLowering<Kind>;
} = {
  prelu: ({ x, slope }, context) =>
    context.node('PRelu', [context.name(x), alongChannels(context, slope, 4)]),
  mish: ({ x }, context) => parts.mish(context, context.name(x)),
  scale_per_channel: ({ x, v }, context) => {
    const perPixel = context.node('Unsqueeze', [context.name(v), context.model.ints([2, 3])]);
    return context.node('Mul', [context.name(x), perPixel]);
  },
  scale_features: ({ x, weight }, context) =>
    context.node('Mul', [context.name(x), alongChannels(context, weight, x.shape.length)]),
  shift: ({ x, by }, context) => context.node('Add', [context.name(x), context.model.floats([], [by])]),
  mean_pixels: ({ x }, context) =>
    context.node('ReduceMean', [context.name(x), context.model.ints([2, 3])], { keepdims: 0 }),

  resize_to: (operation, context) =>
    inGraphOrder(context, context.name(operation.x), (x) =>
      parts.resizeTo(context, x, context.name(operation.to)),
    ),
  sample_offsets: (operation, context) =>
    inGraphOrder(context, context.name(operation.x), (x) =>
      parts.sampleOffsets(context, x, context.toGraphOrder(context.name(operation.offsets), 4), {
        channels: channelsOf(operation.x.shape, 1),
        factor: operation.factor,
        groups: operation.groups,
      }),
    ),

  pixel_shuffle: (operation, context) =>
    inGraphOrder(context, context.name(operation.x), (x) => parts.pixelShuffle(context, x, operation.factor)),
  pixel_unshuffle: (operation, context) =>
    inGraphOrder(context, context.name(operation.x), (x) =>
      parts.pixelUnshuffle(context, x, channelsOf(operation.x.shape, 1), operation.factor),
    ),
  slice: ({ x, axis, from, count }, context) =>
    parts.slice(context, context.name(x), context.axis(axis, x.shape.length), from, from + count),
  roll: ({ x, rows, columns }, context) => parts.roll(context, context.name(x), rows, columns),
  windows: (operation, context) =>
    parts.cutWindows(context, context.name(operation.x), channelsOf(operation.x.shape, 1), operation),
  join_windows: (operation, context) =>
    parts.joinWindows(
      context,
      context.name(operation.x),
      context.name(operation.like),
      channelsOf(operation.x.shape, 2),
      operation,
    ),
  pad_multiple: ({ x, multiple }, context) => parts.padMultiple(context, context.name(x), multiple),
  crop_like: ({ x, like }, context) => parts.cropLike(context, context.name(x), context.name(like)),
  combs: (operation, context) =>
    parts.cutCombs(context, context.name(operation.x), channelsOf(operation.x.shape, 1), operation),
  join_combs: (operation, context) => {
    const { x, like } = operation;
    return parts.joinCombs(context, context.name(x), context.name(like), channelsOf(x.shape, 2), operation);
  },
  wide_windows: (operation, context) =>
    parts.cutWideWindows(context, context.name(operation.x), channelsOf(operation.x.shape, 1), operation),

  window_attention: (operation, context) => {
    const { heads, scale, bias, regions } = operation;
    // (heads·d)×W×T → heads×W×T×d, or heads×W×d×T
    const split = (name: string, channels: number, perm: readonly number[]): string => {
      const shape = parts.join(
        context,
        [heads, channels / heads],
        context.node('Shape', [name], { start: 1, end: 3 }),
      );
      return context.node('Transpose', [context.node('Reshape', [name, shape])], { perm });
    };
    const [query, key, value] = [operation.query, operation.key, operation.value];
    const mixed = parts.windowAttention(
      context,
      split(context.name(query), channelsOf(query.shape, 2), [0, 2, 3, 1]),
      split(context.name(key), channelsOf(key.shape, 2), [0, 2, 1, 3]),
      split(context.name(value), channelsOf(value.shape, 2), [0, 2, 3, 1]),
      {
        scale,
        bias: bias && constant(context, bias, [heads, 1, ...bias.shape.slice(1)]),
        regions: regions && context.node('Squeeze', [context.name(regions), context.model.ints([0])]),
      },
    );
    const back = context.node('Transpose', [mixed], { perm: [0, 3, 1, 2] });
    const shape = parts.join(
      context,
      [channelsOf(value.shape, 2)],
      context.node('Shape', [context.name(query)], { start: 1, end: 3 }),
    );
    return context.node('Reshape', [back, shape]);
  },
  channel_attention: ({ query, key, value, heads, temperature, normalized }, context) => {
    // (heads·d)×N×T → heads×N×d×T
    const channels = channelsOf(query.shape, 2);
    const split = (name: string): string => {
      const shape = parts.join(
        context,
        [heads, channels / heads],
        context.node('Shape', [name], { start: 1, end: 3 }),
      );
      return context.node('Transpose', [context.node('Reshape', [name, shape])], { perm: [0, 2, 1, 3] });
    };
    const [q, k, v] = [query, key, value].map((operand) => split(context.name(operand)));
    const mixed = parts.channelAttention(context, q!, k!, v!, {
      temperature: constant(context, temperature, [heads, 1, 1, 1]),
      normalized,
    });
    const back = context.node('Transpose', [mixed], { perm: [0, 2, 1, 3] });
    return context.node('Reshape', [back, context.node('Shape', [context.name(query)])]);
  },
  normalize_heads: ({ x, heads }, context) => {
    const whole = context.node('Shape', [context.name(x)]);
    const split = parts.join(
      context,
      [heads, channelsOf(x.shape, 2) / heads],
      context.node('Shape', [context.name(x)], { start: 1, end: 3 }),
    );
    const unit = parts.unitLength(context, context.node('Reshape', [context.name(x), split]), 1);
    return context.node('Reshape', [unit, whole]);
  },
};
