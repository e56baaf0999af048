import { formatShape } from '../dim.js';
import type { NodeWriter } from '../lowering/onnx/nodes.js';
import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** Softmax along the last axis of N×T×C, with zeros but for the `count` largest: what each expert of a mixture counts. */
export interface TopShares {
  readonly kind: 'top_shares';
  readonly x: Value;
  readonly count: number;
}

function lower(nodes: NodeWriter, x: string, axis: number, count: number): string {
  const { model } = nodes;
  const shares = nodes.node('Softmax', [x], { axis });
  // The least of the largest is what a share must reach.
  const [top] = model.nodeOf(2, 'TopK', [shares, model.ints([count])], {
    attributes: { axis, largest: 1, sorted: 1 },
  }) as [string, string];
  const least = nodes.node('ReduceMin', [top, model.ints([axis])], { keepdims: 1 });
  const counts = nodes.node('GreaterOrEqual', [shares, least]);
  return nodes.node('Where', [counts, shares, nodes.node('Sub', [shares, shares])]);
}

export const topShares = defineOperation<TopShares>()({
  kind: 'top_shares',
  operands: { x: true },
  weights: {},
  build: {
    topShares(graph: NodeBuilder<TopShares>, x: Value, count: number): Value {
      const extent = x.shape[2];
      graph.check(
        x.shape.length === 3 && typeof extent === 'number' && count >= 1 && count <= extent,
        `top_shares can't choose ${count} of ${formatShape(x.shape)}`,
      );
      return graph.emit({ kind: 'top_shares', x, count }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: 8 * results }),
  onnx: {
    plain: ({ x, count }, context) => lower(context, context.name(x), 2, count),
    channelMajor: ({ x, count }, context) => lower(context, context.name(x), 0, count),
  },
  cuda: computedOnCpu,
});
