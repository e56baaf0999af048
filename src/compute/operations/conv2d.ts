import { formatShape } from '../dim.js';
import type { CudaContext, CudaNode } from '../lowering/cuda/context.js';
import type { Window } from '../lowering/cuda/program.js';
import type { Epilogue } from '../epilogue.js';
import { checkVector, shapeOf, weightShape, type NodeBuilder } from '../node-builder.js';
import type { ChannelMajorContext } from '../lowering/onnx/channel-major-context.js';
import type { Padding, Value } from '../value.js';
import type { Weight } from '../weight.js';
import { defineOperation } from './definition.js';
import {
  convolvedShape,
  lowerForeignConvolution,
  lowerPlainConvolution,
  uniformPadding,
  type Convolution,
} from './shared/convolution.js';
import { fusedActivation, productEpilogue, productFlops, productTakes } from './shared/products.js';

export interface Conv2d extends Convolution {
  readonly kind: 'conv2d';
}

/**
 * Convolutions that ONNX Runtime has the faster kernel for: ours lays every tap of every pixel out, which pays when many output
 * channels read it (5×5 and more with 16 outputs took half the time there).
 */
function isLargeAndNarrow({ weight, stride }: Conv2d): boolean {
  const [outputs = 0, , height = 0, width = 0] = weight.shape;
  return stride === 1 && height * width >= 25 && outputs <= 32;
}

function lowerChannelMajor(operation: Conv2d, context: ChannelMajorContext, epilogue: Epilogue): string {
  if (isLargeAndNarrow(operation)) return lowerForeignConvolution(operation, 1, context);
  const { weight, bias, stride } = operation;
  const [outputs, inputs, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const [top, left, bottom, right] = operation.padding;
  const [x, ...more] = context.partsOf(operation.x);
  const [sums, residual] = [epilogue.sums, epilogue.residual].map((value) => value && context.name(value));
  return context.kernel('Convolution', [x, sums, residual, ...more], {
    inputs,
    outputs,
    kernel_height: kernelHeight,
    kernel_width: kernelWidth,
    stride,
    top,
    left,
    bottom,
    right,
    weight: context.weights.matrix(weight),
    bias: context.weights.vector(bias),
    ...fusedActivation(context, epilogue, outputs),
  });
}

function lowerCuda(operation: Conv2d, context: CudaContext, node: CudaNode): void {
  const { weight, bias, stride, padding } = operation;
  const [batch, , height, width] = context.extents(operation.x) as [number, number, number, number];
  const [, , outHeight, outWidth] = context.extents(node.output) as [number, number, number, number];
  const [, , kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const [top, left] = padding;
  const stored = context.smallSource(operation.x) ?? operation.x;
  const [, , storedHeight, storedWidth] = context.extents(stored) as [number, number, number, number];
  const pointwise =
    kernelHeight * kernelWidth === 1 &&
    stride === 1 &&
    outHeight === storedHeight &&
    outWidth === storedWidth;
  const window: Window = {
    batch,
    storedHeight,
    storedWidth,
    height,
    width,
    outHeight,
    outWidth,
    kernelHeight,
    kernelWidth,
    stride,
    top,
    left,
  };
  context.emit({
    kind: 'product',
    x: context.view(stored),
    window: pointwise ? undefined : window,
    weight: context.weights.matrix([weight], 'taps'),
    ...productEpilogue(node, bias, context),
  });
}

export const conv2d = defineOperation<Conv2d>()({
  kind: 'conv2d',
  operands: { x: true },
  weights: { weight: true, bias: true },
  build: {
    /** x is N×I×H×W, the weight O×I×kH×kW. */
    conv2d(
      graph: NodeBuilder<Conv2d>,
      x: Value,
      weight: Weight,
      bias?: Weight,
      options: { readonly stride?: number; readonly padding?: number | Padding } = {},
    ): Value {
      const kernel = weightShape(graph, weight, 4);
      const shape = shapeOf(graph, x, 4, 'conv2d');
      const [outputs, inputs] = kernel;
      graph.check(
        shape[1] === inputs,
        `conv2d needs ${inputs} channels for ${weight.name}, got ${formatShape(x.shape)}`,
      );
      checkVector(graph, bias, outputs, weight);
      const { stride = 1, padding: given = 0 } = options;
      const padding = typeof given === 'number' ? uniformPadding(given) : given;
      const result = convolvedShape(shape, kernel, stride, padding);
      return graph.emit({ kind: 'conv2d', x, weight, bias, stride, padding }, result);
    },
  },
  cost: ({ weight, bias }, { results }) => ({ flops: productFlops(results, weight, bias) }),
  onnx: {
    plain: (operation, context) => lowerPlainConvolution(operation, 1, context),
    channelMajor: lowerChannelMajor,
  },
  cuda: lowerCuda,
  takes: (operation, epilogue, step) =>
    !isLargeAndNarrow(operation) &&
    !(step.part === 'activation' && step.is === 'geglu') &&
    productTakes(epilogue, step),
  readsParts: (operation) => (isLargeAndNarrow(operation) ? undefined : operation.x),
});
