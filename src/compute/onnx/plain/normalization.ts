/** Group and layer normalisation. */
import type { Lowering } from './context.js';

/**
 * Group norm as an instance norm over each group's values, then each channel's scale and shift: ONNX's own
 * GroupNormalization is expanded by ONNX Runtime into the same, less directly.
 */
export const lowerGroupNorm: Lowering<'group_norm'> = (operation, context) => {
  const { model } = context;
  const x = context.name(operation.x);
  const { groups, weight, bias, epsilon } = operation;
  const ones = model.floats([groups], new Array<number>(groups).fill(1));
  const zeros = model.floats([groups], new Array<number>(groups).fill(0));
  const grouped = context.node('Reshape', [x, model.ints([0, groups, -1])]);
  const normalized = context.node('InstanceNormalization', [grouped, ones, zeros], {
    epsilon: { float: epsilon },
  });
  const whole = context.node('Reshape', [normalized, context.node('Shape', [x])]);
  const perChannel = model.ints([1, weight.shape[0]!, ...operation.x.shape.slice(2).map(() => 1)]);
  const scale = context.node('Reshape', [context.weight(weight), perChannel]);
  const shift = context.node('Reshape', [context.weight(bias), perChannel]);
  return context.node('Add', [context.node('Mul', [whole, scale]), shift]);
};

export const lowerLayerNorm: Lowering<'layer_norm'> = (operation, context) =>
  context.node(
    'LayerNormalization',
    [context.name(operation.x), context.weight(operation.weight), context.weight(operation.bias)],
    { axis: -1, epsilon: { float: operation.epsilon } },
  );
