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
  /** Pixels from one tap to the next; 1 when left out. */
  readonly dilation?: number;
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
  dilation = 1,
): Shape {
  const reach = (taps: number): number => (taps - 1) * dilation + 1;
  return [
    batch,
    outputs,
    convolvedDim(height, reach(kernelHeight), stride, top + bottom),
    convolvedDim(width, reach(kernelWidth), stride, left + right),
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

function attributes({ weight, stride, padding, dilation = 1 }: Convolution, groups: number) {
  return {
    kernel_shape: weight.shape.slice(2),
    strides: [stride, stride],
    dilations: [dilation, dilation],
    pads: padding,
    group: groups,
  };
}
