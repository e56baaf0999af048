import { formatShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** Of `groups` runs of channels of N×C×H×W, the first of each, then the second of each, and so on. */
export interface ShuffleChannels {
  readonly kind: 'shuffle_channels';
  readonly x: Value;
  readonly groups: number;
}

/** The channels come second behind the batch, or first. */
function lower({ x: operand, groups }: ShuffleChannels, nodes: OnnxContext, batchFirst: boolean): string {
  const { model } = nodes;
  const x = nodes.name(operand);
  const parts = [groups, Number(operand.shape[1]) / groups];
  // 0 keeps an extent, but only of the same place: the batch stands before the channels or is told by the rest.
  const shape = batchFirst ? model.ints([0, ...parts, -1]) : model.ints([...parts, -1]);
  const cut = nodes.node('Reshape', [x, shape]);
  const turned = nodes.node('Transpose', [cut], { perm: batchFirst ? [0, 2, 1, 3] : [1, 0, 2] });
  return nodes.node('Reshape', [turned, nodes.node('Shape', [x])]);
}

export const shuffleChannels = defineOperation<ShuffleChannels>()({
  kind: 'shuffle_channels',
  operands: { x: true },
  weights: {},
  build: {
    shuffleChannels(graph: NodeBuilder<ShuffleChannels>, x: Value, groups: number): Value {
      const [, channels] = shapeOf(graph, x, 4, 'shuffle_channels');
      graph.check(
        typeof channels === 'number' && channels % groups === 0,
        `shuffle_channels can't part ${formatShape(x.shape)} in ${groups}`,
      );
      return graph.emit({ kind: 'shuffle_channels', x, groups }, x.shape);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain: (operation, context) => lower(operation, context, true),
    channelMajor: (operation, context) => lower(operation, context, false),
  },
  cuda: computedOnCpu,
});
