/** Operations of face networks, which need no kernels of their own. */
import type { RestorationOperation } from '../../restoration-operation.js';
import { maxPool, padReflect, resizeBilinear, shuffleChannels, sliceChannels } from '../restoration-parts.js';
import type { Operation } from '../../graph.js';
import type { ChannelMajorContext } from './context.js';
import type { ChannelMajorLowering } from './operations.js';
import { widened } from './weight-table.js';

/** A convolution by ONNX Runtime's own kernel. */
export function plainConvolution(
  { x, weight, bias, stride, padding }: Omit<Extract<Operation, { kind: 'conv2d' }>, 'kind'>,
  groups: number,
  context: ChannelMajorContext,
): string {
  const { model } = context;
  const operands = [
    context.toGraphOrder(context.name(x), 4),
    model.floatTensor(weight.shape, widened(weight)),
    ...(bias === undefined ? [] : [model.floatTensor(bias.shape, widened(bias))]),
  ];
  const result = context.node('Conv', operands, {
    kernel_shape: weight.shape.slice(2),
    strides: [stride, stride],
    pads: padding,
    group: groups,
  });
  return context.fromGraphOrder(result, 4);
}

export const RESTORATION_LOWERINGS: {
  readonly [Kind in RestorationOperation['kind']]: ChannelMajorLowering<Kind>;
} = {
  grouped_conv2d: (operation, context) => plainConvolution(operation, operation.groups, context),
  leaky_relu: ({ x, slope }, context) =>
    context.node('LeakyRelu', [context.name(x)], { alpha: { float: slope } }),
  rsqrt: ({ x }, context) => context.node('Reciprocal', [context.node('Sqrt', [context.name(x)])]),
  max_pool: (operation, context) => maxPool(context, context.name(operation.x), operation),
  resize_bilinear: ({ x, factor }, context) => resizeBilinear(context, context.name(x), factor),
  pad_reflect: ({ x, padding }, context) => padReflect(context, context.name(x), padding),
  broadcast: ({ function: fn, a, b }, context) =>
    context.node(fn === 'add' ? 'Add' : 'Mul', [context.name(a), context.name(b)]),
  constant: ({ weight }, context) =>
    // 1×C×H×W and C×1×H×W are the same values in the same order.
    context.model.floatTensor([weight.shape[1]!, 1, ...weight.shape.slice(2)], widened(weight)),
  select_rows: ({ scores, table }, context) => {
    const [rows, channels] = table.shape as [number, number];
    const values = widened(table);
    const byChannel = new Float32Array(values.length);
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < channels; c++) byChannel[c * rows + row] = values[row * channels + c]!;
    }
    const best = context.node('ArgMax', [context.name(scores)], { axis: 0, keepdims: 0 });
    return context.node('Gather', [context.model.floatTensor([channels, rows], byChannel), best], {
      axis: 1,
    });
  },
  slice_channels: ({ x, from, to }, context) => sliceChannels(context, context.name(x), 0, from, to),
  shuffle_channels: ({ x, groups }, context) =>
    shuffleChannels(context, context.name(x), 0, Number(x.shape[1]), groups),
};
