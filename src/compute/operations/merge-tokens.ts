import type { Dim } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { entry, extents, INT64, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { checkIndices } from './shared/attention.js';
import { groupIndex } from './shared/token-groups.js';

/** The mean of each group (of `token_groups`), N×T×C → N×M×C, M being T less the sources that `counts` merges. */
export interface MergeTokens {
  readonly kind: 'merge_tokens';
  readonly x: Value;
  readonly groups: Value;
  readonly counts: Value;
}

/** On channel-major operands. */
function lower(nodes: NodeWriter, x: string, groups: string, counts: string): string {
  const numbers = nodes.node('Cast', [counts], { to: INT64 });
  const left = nodes.node('Sub', [extents(nodes, x, 2, 3), entry(nodes, numbers, 0)]);
  const index = groupIndex(nodes, groups);
  const total = (values: string, indices: string): string => {
    const empty = nodes.node('ConstantOfShape', [join(nodes, extents(nodes, values, 0, 2), left)]);
    return nodes.node('ScatterElements', [empty, indices, values], { axis: 2, reduction: 'add' });
  };
  const ones = nodes.node('Expand', [nodes.model.floats([1, 1, 1], [1]), nodes.node('Shape', [index])]);
  const sums = total(x, nodes.node('Expand', [index, nodes.node('Shape', [x])]));
  return nodes.node('Div', [sums, total(ones, index)]);
}

export const mergeTokens = defineOperation<MergeTokens>()({
  kind: 'merge_tokens',
  operands: { x: true, groups: true, counts: true },
  weights: {},
  build: {
    /** `merged` is how many tokens are left. */
    mergeTokens(graph: NodeBuilder<MergeTokens>, x: Value, groups: Value, counts: Value, merged: Dim): Value {
      const [batch, tokens, channels] = shapeOf(graph, x, 3, 'merge_tokens');
      checkIndices(graph, groups, [batch, tokens], 'merge_tokens needs an int32 group for each token');
      checkIndices(graph, counts, [2], 'merge_tokens needs two int32 counts');
      return graph.emit({ kind: 'merge_tokens', x, groups, counts }, [batch, merged, channels]);
    },
  },
  cost: ({ x }, { results, count }) => ({ flops: count(x) + results }),
  onnx: {
    plain({ x, groups, counts }, context) {
      const byToken = context.swapped(context.name(groups));
      return context.channelsLast(lower(context, context.channelsFirst(x), byToken, context.name(counts)));
    },
    channelMajor: ({ x, groups, counts }, context) =>
      lower(context, context.name(x), context.name(groups), context.name(counts)),
  },
  cuda: computedOnCpu,
});
