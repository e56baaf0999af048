/** What convolutions have in common, in groups or not. */
import { convolvedDim, type Dim, type Shape } from '../../dim.js';
import type { ChannelMajorContext } from '../../lowering/onnx/channel-major-context.js';
import type { PlainContext } from '../../lowering/onnx/plain-context.js';
import type { Padding, Value } from '../../value.js';
import type { Weight } from '../../weight.js';

export interface Convolution {
  readonly x: Value;
  readonly weight: Weight;
  readonly bias: Weight | undefined;
  readonly stride: number;
  readonly padding: Padding;
}

export function uniformPadding(pixels: number): Padding {
  return [pixels, pixels, pixels, pixels];
}

/** N×O×H'×W' */
export function convolvedShape(
  [batch, , height, width]: readonly [Dim, Dim, Dim, Dim],
  [outputs, , kernelHeight, kernelWidth]: readonly [number, number, number, number],
  stride: number,
  [top, left, bottom, right]: Padding,
): Shape {
  return [
    batch,
    outputs,
    convolvedDim(height, kernelHeight, stride, top + bottom),
    convolvedDim(width, kernelWidth, stride, left + right),
  ];
}

export function lowerPlainConvolution(operation: Convolution, groups: number, context: PlainContext): string {
  const operands = [context.name(operation.x), context.weight(operation.weight)];
  if (operation.bias !== undefined) operands.push(context.weight(operation.bias));
  return context.node('Conv', operands, attributes(operation, groups));
}

/** By ONNX Runtime's own kernel, which wants the graph's order of axes. */
export function lowerForeignConvolution(
  operation: Convolution,
  groups: number,
  context: ChannelMajorContext,
): string {
  const { weight, bias } = operation;
  return context.inGraphOrder(operation.x, (x) => {
    const operands = [x, context.constant(weight), ...(bias === undefined ? [] : [context.constant(bias)])];
    return context.node('Conv', operands, attributes(operation, groups));
  });
}

function attributes({ weight, stride, padding }: Convolution, groups: number) {
  return {
    kernel_shape: weight.shape.slice(2),
    strides: [stride, stride],
    pads: padding,
    group: groups,
  };
}
