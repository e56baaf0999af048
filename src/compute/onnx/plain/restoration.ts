/** Operations of face networks. */
import type { RestorationOperation } from '../../restoration-operation.js';
import { maxPool, padReflect, resizeBilinear, shuffleChannels, sliceChannels } from '../restoration-parts.js';
import type { Lowering } from './context.js';

export const RESTORATION_LOWERINGS: { readonly [Kind in RestorationOperation['kind']]: Lowering<Kind> } = {
  grouped_conv2d: ({ x, weight, bias, stride, padding, groups }, context) => {
    const operands = [context.name(x), context.weight(weight)];
    if (bias !== undefined) operands.push(context.weight(bias));
    return context.node('Conv', operands, {
      kernel_shape: weight.shape.slice(2),
      strides: [stride, stride],
      pads: padding,
      group: groups,
    });
  },
  leaky_relu: ({ x, slope }, context) =>
    context.node('LeakyRelu', [context.name(x)], { alpha: { float: slope } }),
  rsqrt: ({ x }, context) => context.node('Reciprocal', [context.node('Sqrt', [context.name(x)])]),
  max_pool: (operation, context) => maxPool(context, context.name(operation.x), operation),
  resize_bilinear: ({ x, factor }, context) => resizeBilinear(context, context.name(x), factor),
  pad_reflect: ({ x, padding }, context) => padReflect(context, context.name(x), padding),
  broadcast: ({ function: fn, a, b }, context) =>
    context.node(fn === 'add' ? 'Add' : 'Mul', [context.name(a), context.name(b)]),
  constant: ({ weight }, context) => context.weight(weight),
  select_rows: ({ scores, table }, context) => {
    const best = context.node('ArgMax', [context.name(scores)], { axis: 2, keepdims: 0 });
    return context.node('Gather', [context.weight(table), best], { axis: 0 });
  },
  slice_channels: ({ x, from, to }, context) => sliceChannels(context, context.name(x), 1, from, to),
  shuffle_channels: ({ x, groups }, context) =>
    shuffleChannels(context, context.name(x), 1, Number(x.shape[1]), groups),
};
