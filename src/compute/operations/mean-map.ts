import { pictureSizes } from '../lowering/cuda/context.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';

/** The mean over channels, stretched to 0…1 in each picture: N×C×H×W → N×1×H×W. */
export interface MeanMap {
  readonly kind: 'mean_map';
  readonly x: Value;
}

/** `axis` is the channels'. */
function lower({ x }: MeanMap, context: OnnxContext, axis: number): string {
  const { model } = context;
  const mean = context.node('ReduceMean', [context.name(x), model.ints([axis])], { keepdims: 1 });
  const within = model.ints([axis, 2, 3]);
  // ONNX Runtime's extremes leave NaNs out, torch's don't: 0, or NaN where any mean is.
  const sum = context.node('ReduceSum', [mean, within], { keepdims: 1 });
  const spoilt = context.node('Mul', [sum, model.floats([], [0])]);
  const least = context.node('ReduceMin', [mean, within], { keepdims: 1 });
  const low = context.node('Add', [least, spoilt]);
  const high = context.node('ReduceMax', [mean, within], { keepdims: 1 });
  return context.node('Div', [context.node('Sub', [mean, low]), context.node('Sub', [high, low])]);
}

export const meanMap = defineOperation<MeanMap>()({
  kind: 'mean_map',
  operands: { x: true },
  weights: {},
  build: {
    meanMap(graph: NodeBuilder<MeanMap>, x: Value): Value {
      const [batch, , ...size] = shapeOf(graph, x, 4, 'mean_map');
      return graph.emit({ kind: 'mean_map', x }, [batch, 1, ...size]);
    },
  },
  cost: ({ x }, { results, count }) => ({ flops: count(x) + 4 * results }),
  onnx: {
    plain: (operation, context) => lower(operation, context, 1),
    channelMajor: (operation, context) => lower(operation, context, 0),
  },
  cuda(operation, context, { result }) {
    const { x, out, batch, height, width } = pictureSizes(operation.x, result, context);
    context.emit({ kind: 'mean_map', x, out, batch, height, width, factor: 1 });
  },
});
