import { formatShape } from '../dim.js';
import { checkVector, shapeOf, weightShape, type NodeBuilder } from '../node-builder.js';
import type { Padding, Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';
import {
  convolvedShape,
  lowerForeignConvolution,
  lowerPlainConvolution,
  uniformPadding,
  type Convolution,
} from './shared/convolution.js';
import { productFlops } from './shared/products.js';

/** A convolution of which each of `groups` parts of the channels sees itself alone, with taps that may be apart. */
export interface GroupedConv2d extends Convolution {
  readonly kind: 'grouped_conv2d';
  readonly groups: number;
}

export const groupedConv2d = defineOperation<GroupedConv2d>()({
  kind: 'grouped_conv2d',
  operands: { x: true },
  weights: { weight: true, bias: true },
  build: {
    groupedConv2d(
      graph: NodeBuilder<GroupedConv2d>,
      x: Value,
      weight: Weight,
      bias: Weight | undefined,
      options: {
        readonly stride: number;
        readonly padding: number | Padding;
        readonly groups: number;
        readonly dilation?: number;
      },
    ): Value {
      const { stride, groups, dilation = 1 } = options;
      const kernel = weightShape(graph, weight, 4);
      const shape = shapeOf(graph, x, 4, 'grouped_conv2d');
      const [outputs, inputs] = kernel;
      graph.check(
        shape[1] === inputs * groups && outputs % groups === 0,
        `grouped_conv2d needs ${inputs * groups} channels for ${weight.name}, got ${formatShape(x.shape)}`,
      );
      checkVector(graph, bias, outputs, weight);
      const padding = typeof options.padding === 'number' ? uniformPadding(options.padding) : options.padding;
      const result = convolvedShape(shape, kernel, stride, padding, dilation);
      const operation = { x, weight, bias, stride, padding, groups, dilation };
      return graph.emit({ kind: 'grouped_conv2d', ...operation }, result);
    },
  },
  cost: ({ weight, bias }, { results }) => ({ flops: productFlops(results, weight, bias) }),
  onnx: {
    plain: (operation, context) => lowerPlainConvolution(operation, operation.groups, context),
    channelMajor: (operation, context) => lowerForeignConvolution(operation, operation.groups, context),
  },
  cuda: computedOnCpu,
});
