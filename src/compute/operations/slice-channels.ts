import { formatShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { slice } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** Channels [from, to) of N×C×H×W. */
export interface SliceChannels {
  readonly kind: 'slice_channels';
  readonly x: Value;
  readonly from: number;
  readonly to: number;
}

export const sliceChannels = defineOperation<SliceChannels>()({
  kind: 'slice_channels',
  operands: { x: true },
  weights: {},
  build: {
    sliceChannels(graph: NodeBuilder<SliceChannels>, x: Value, from: number, to: number): Value {
      const [batch, channels, height, width] = shapeOf(graph, x, 4, 'slice_channels');
      graph.check(
        typeof channels === 'number' && from < to && to <= channels,
        `slice_channels has no channels ${from} to ${to} in ${formatShape(x.shape)}`,
      );
      return graph.emit({ kind: 'slice_channels', x, from, to }, [batch, to - from, height, width]);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain: ({ x, from, to }, context) => slice(context, context.name(x), 1, from, to),
    channelMajor: ({ x, from, to }, context) => slice(context, context.name(x), 0, from, to),
  },
  cuda: computedOnCpu,
});
