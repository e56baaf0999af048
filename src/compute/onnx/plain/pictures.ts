/** Operations on pictures, N×C×H×W, and on windows of them, N×T×C. */
import type { PictureOperation } from '../../picture-operation.js';
import type { Weight } from '../../weight.js';
import * as parts from '../picture-parts.js';
import type { Lowering, LoweringContext } from './context.js';

/** N×C×H×W ↔ C×N×H×W */
function swapped(context: LoweringContext, x: string): string {
  return context.node('Transpose', [x], { perm: [1, 0, 2, 3] });
}

/** C×N×T → N×T×C */
function channelsLast(context: LoweringContext, x: string): string {
  return context.node('Transpose', [x], { perm: [1, 2, 0] });
}

function reshaped(context: LoweringContext, weight: Weight, shape: readonly number[]): string {
  return context.node('Reshape', [context.weight(weight), context.model.ints(shape)]);
}

/** N×T×(heads·d) as N×T×heads×d, its axes in another order. */
function split(context: LoweringContext, x: string, heads: number, perm: readonly number[]): string {
  const cut = context.node('Reshape', [x, context.model.ints([0, 0, heads, -1])]);
  return context.node('Transpose', [cut], { perm });
}

export const PICTURE_LOWERINGS: { readonly [Kind in PictureOperation['kind']]: Lowering<Kind> } = {
  prelu: ({ x, slope }, context) =>
    context.node('PRelu', [context.name(x), reshaped(context, slope, [-1, 1, 1])]),
  mish: ({ x }, context) => parts.mish(context, context.name(x)),
  scale_per_channel: ({ x, v }, context) => {
    const perPixel = context.node('Unsqueeze', [context.name(v), context.model.ints([2, 3])]);
    return context.node('Mul', [context.name(x), perPixel]);
  },
  scale_features: ({ x, weight }, context) =>
    context.node('Mul', [
      context.name(x),
      x.shape.length === 4 ? reshaped(context, weight, [-1, 1, 1]) : context.weight(weight),
    ]),
  shift: ({ x, by }, context) => context.node('Add', [context.name(x), context.model.floats([], [by])]),
  mean_pixels: ({ x }, context) =>
    context.node('ReduceMean', [context.name(x), context.model.ints([2, 3])], { keepdims: 0 }),

  resize_to: ({ x, to }, context) => parts.resizeTo(context, context.name(x), context.name(to)),
  sample_offsets: ({ x, offsets, factor, groups }, context) =>
    parts.sampleOffsets(context, context.name(x), context.name(offsets), {
      channels: Number(x.shape[1]),
      factor,
      groups,
    }),

  pixel_shuffle: ({ x, factor }, context) => parts.pixelShuffle(context, context.name(x), factor),
  pixel_unshuffle: ({ x, factor }, context) =>
    parts.pixelUnshuffle(context, context.name(x), Number(x.shape[1]), factor),
  slice: ({ x, axis, from, count }, context) =>
    parts.slice(context, context.name(x), axis, from, from + count),
  roll: ({ x, rows, columns }, context) => parts.roll(context, context.name(x), rows, columns),
  windows: (operation, context) => {
    const { x } = operation;
    const cut = parts.cutWindows(context, swapped(context, context.name(x)), Number(x.shape[1]), operation);
    return channelsLast(context, cut);
  },
  join_windows: (operation, context) => {
    const { x, like } = operation;
    const channelsFirst = context.node('Transpose', [context.name(x)], { perm: [2, 0, 1] });
    const swappedLike = swapped(context, context.name(like));
    return swapped(
      context,
      parts.joinWindows(context, channelsFirst, swappedLike, Number(x.shape[2]), operation),
    );
  },
  pad_multiple: ({ x, multiple }, context) => parts.padMultiple(context, context.name(x), multiple),
  crop_like: ({ x, like }, context) => parts.cropLike(context, context.name(x), context.name(like)),
  combs: (operation, context) => {
    const { x } = operation;
    return channelsLast(
      context,
      parts.cutCombs(context, swapped(context, context.name(x)), Number(x.shape[1]), operation),
    );
  },
  join_combs: (operation, context) => {
    const { x, like } = operation;
    const channelsFirst = context.node('Transpose', [context.name(x)], { perm: [2, 0, 1] });
    const swappedLike = swapped(context, context.name(like));
    return swapped(
      context,
      parts.joinCombs(context, channelsFirst, swappedLike, Number(x.shape[2]), operation),
    );
  },
  wide_windows: (operation, context) => {
    const { x } = operation;
    const cut = parts.cutWideWindows(
      context,
      swapped(context, context.name(x)),
      Number(x.shape[1]),
      operation,
    );
    return channelsLast(context, cut);
  },

  window_attention: ({ query, key, value, heads, scale, bias, regions }, context) => {
    const mixed = parts.windowAttention(
      context,
      split(context, context.name(query), heads, [2, 0, 1, 3]),
      split(context, context.name(key), heads, [2, 0, 3, 1]),
      split(context, context.name(value), heads, [2, 0, 1, 3]),
      {
        scale,
        bias: bias && reshaped(context, bias, [heads, 1, ...bias.shape.slice(1)]),
        regions: regions && context.node('Squeeze', [context.name(regions), context.model.ints([2])]),
      },
    );
    const back = context.node('Transpose', [mixed], { perm: [1, 2, 0, 3] });
    return context.node('Reshape', [back, context.model.ints([0, 0, -1])]);
  },
  channel_attention: ({ query, key, value, heads, temperature, normalized }, context) => {
    const [q, k, v] = [query, key, value].map((operand) =>
      split(context, context.name(operand), heads, [0, 2, 3, 1]),
    );
    const mixed = parts.channelAttention(context, q!, k!, v!, {
      temperature: reshaped(context, temperature, [heads, 1, 1]),
      normalized,
    });
    const back = context.node('Transpose', [mixed], { perm: [0, 3, 1, 2] });
    return context.node('Reshape', [back, context.model.ints([0, 0, -1])]);
  },
  normalize_heads: ({ x, heads }, context) => {
    const cut = context.node('Reshape', [context.name(x), context.model.ints([0, 0, heads, -1])]);
    return context.node('Reshape', [parts.unitLength(context, cut, 3), parts.join(context, [0, 0, -1])]);
  },
};
