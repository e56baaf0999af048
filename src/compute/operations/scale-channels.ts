import { formatShape, sameShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import { slice } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';

/** Multiplies the first `channels` channels of N×C×H×W by `factor`, or with a `map` (N×1×H×W) by 1 + (factor − 1)·map. */
export interface ScaleChannels {
  readonly kind: 'scale_channels';
  readonly x: Value;
  readonly channels: number;
  readonly factor: number;
  readonly map: Value | undefined;
}

/** `axis` is the channels'. */
function lower({ x, channels, factor, map }: ScaleChannels, context: OnnxContext, axis: number): string {
  const { model } = context;
  const all = Number(x.shape[1]);
  const part = (from: number, to: number): string => slice(context, context.name(x), axis, from, to);
  const gain =
    map === undefined
      ? model.floats([], [factor])
      : context.node('Add', [
          context.node('Mul', [context.name(map), model.floats([], [factor - 1])]),
          model.floats([], [1]),
        ]);
  const scaled = context.node('Mul', [part(0, channels), gain]);
  return channels === all ? scaled : context.node('Concat', [scaled, part(channels, all)], { axis });
}

export const scaleChannels = defineOperation<ScaleChannels>()({
  kind: 'scale_channels',
  operands: { x: true, map: true },
  weights: {},
  build: {
    scaleChannels(
      graph: NodeBuilder<ScaleChannels>,
      x: Value,
      channels: number,
      factor: number,
      map?: Value,
    ): Value {
      const [batch, all, ...size] = shapeOf(graph, x, 4, 'scale_channels');
      graph.check(typeof all === 'number' && channels <= all, `scale_channels has no ${channels} channels`);
      graph.check(
        map === undefined || sameShape(map.shape, [batch, 1, ...size]),
        `scale_channels needs a map of the size of ${formatShape(x.shape)}`,
      );
      return graph.emit({ kind: 'scale_channels', x, channels, factor, map }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results }),
  onnx: {
    plain: (operation, context) => lower(operation, context, 1),
    channelMajor: (operation, context) => lower(operation, context, 0),
  },
  cuda({ x, channels, factor, map }, context, { result }) {
    const operands = { x: context.view(x), map: map && context.view(map) };
    context.emit({ kind: 'scale_channels', ...operands, out: context.place(result), channels, factor });
  },
});
