import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { entry, extents, INT64, join, range, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { checkIndices } from './shared/attention.js';

/**
 * Groups of like tokens, int32 N×T: bipartite soft matching by cosine. `order` (int32 T) names sources first, then
 * destinations; `counts` is the int32 vector [sources to merge, destinations]. The sources that are likest to a
 * destination share its group; the others have groups of their own, which come first.
 */
export interface TokenGroups {
  readonly kind: 'token_groups';
  readonly x: Value;
  readonly order: Value;
  readonly counts: Value;
}

/** On a channel-major operand; the result is T×N, int64. */
function lower(nodes: NodeWriter, x: string, order: string, counts: string): string {
  const { model } = nodes;
  const places = nodes.node('Cast', [order], { to: INT64 });
  const numbers = nodes.node('Cast', [counts], { to: INT64 });
  const [merged, destinations] = [entry(nodes, numbers, 0), entry(nodes, numbers, 1)];
  const tokens = extents(nodes, x, 2, 3);
  const sources = nodes.node('Sub', [tokens, destinations]);

  const length = nodes.node('ReduceL2', [x, model.ints([0])], { keepdims: 1 });
  const direction = nodes.node('Div', [x, length]);
  const rows = (from: string, to: string, perm: readonly number[]) => {
    const picked = nodes.node('Gather', [direction, nodes.node('Slice', [places, from, to])], { axis: 2 });
    return nodes.node('Transpose', [picked], { perm });
  };
  const likeness = nodes.node('MatMul', [
    rows(model.ints([0]), sources, [1, 2, 0]),
    rows(sources, tokens, [1, 0, 2]),
  ]);
  const best = nodes.node('ReduceMax', [likeness, model.ints([2])], { keepdims: 0 });
  const nearest = nodes.node('ArgMax', [likeness], { axis: 2, keepdims: 0 });

  // Sources by how like they are to their destination; the first `merged` of them share its group.
  const [, ranking] = model.nodeOf(2, 'TopK', [best, sources]) as [string, string];
  const rank = range(nodes, sources);
  const kept = nodes.node('Sub', [sources, merged]);
  const ownGroup = nodes.node('Sub', [rank, merged]);
  const sharedGroup = nodes.node('Add', [
    nodes.node('GatherElements', [nearest, ranking], { axis: 1 }),
    kept,
  ]);
  const ranked = nodes.node('Where', [nodes.node('Less', [rank, merged]), sharedGroup, ownGroup]);
  const ofSources = nodes.node('ScatterElements', [nearest, ranking, ranked], { axis: 1 });
  const batch = extents(nodes, x, 1, 2);
  const ofDestinations = nodes.node('Expand', [
    nodes.node('Add', [range(nodes, destinations), kept]),
    join(nodes, batch, destinations),
  ]);
  const inOrder = nodes.node('Concat', [ofSources, ofDestinations], { axis: 1 });
  const inverse = nodes.node('ScatterElements', [places, places, range(nodes, tokens)], { axis: 0 });
  return nodes.node('Transpose', [nodes.node('Gather', [inOrder, inverse], { axis: 1 })], { perm: [1, 0] });
}

export const tokenGroups = defineOperation<TokenGroups>()({
  kind: 'token_groups',
  operands: { x: true, order: true, counts: true },
  weights: {},
  build: {
    tokenGroups(graph: NodeBuilder<TokenGroups>, x: Value, order: Value, counts: Value): Value {
      const [batch, tokens] = shapeOf(graph, x, 3, 'token_groups');
      checkIndices(graph, order, [tokens], 'token_groups needs an int32 place for each token');
      checkIndices(graph, counts, [2], 'token_groups needs two int32 counts');
      return graph.emit({ kind: 'token_groups', x, order, counts }, [batch, tokens], 'int32');
    },
  },
  cost({ x }, { extents }) {
    const [rows, tokens, channels] = extents(x) as [number, number, number];
    // One destination among four tokens, as tokens are merged in practice.
    const pairs = (rows * tokens * tokens * 3) / 16;
    return { flops: pairs * (2 * channels + 1) + rows * tokens * channels * 3 };
  },
  onnx: {
    plain: ({ x, order, counts }, context) =>
      context.swapped(lower(context, context.channelsFirst(x), context.name(order), context.name(counts))),
    channelMajor: ({ x, order, counts }, context) =>
      lower(context, context.name(x), context.name(order), context.name(counts)),
  },
  cuda: computedOnCpu,
});
