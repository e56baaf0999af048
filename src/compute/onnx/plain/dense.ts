/** Convolutions and linear layers. */
import type { Lowering } from './context.js';

export const lowerConv2d: Lowering<'conv2d'> = (operation, context) => {
  const inputs = [context.name(operation.x), context.weight(operation.weight)];
  if (operation.bias !== undefined) inputs.push(context.weight(operation.bias));
  return context.node('Conv', inputs, {
    kernel_shape: operation.weight.shape.slice(2),
    strides: [operation.stride, operation.stride],
    pads: operation.padding,
  });
};

export const lowerLinear: Lowering<'linear'> = (operation, context) => {
  const weight = context.weight(operation.weight);
  const product = context.nodeIn('com.microsoft', 'FusedMatMul', [context.name(operation.x), weight], {
    transB: 1,
  });
  return operation.bias === undefined
    ? product
    : context.node('Add', [product, context.weight(operation.bias)]);
};
