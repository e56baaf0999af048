import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { checkIndices } from './shared/attention.js';
import { groupIndex } from './shared/token-groups.js';

/** Each token takes its group's row: N×M×C → N×T×C. */
export interface UnmergeTokens {
  readonly kind: 'unmerge_tokens';
  readonly x: Value;
  readonly groups: Value;
}

/** On channel-major operands. */
function lower(nodes: NodeWriter, x: string, groups: string): string {
  const index = groupIndex(nodes, groups);
  const shape = join(nodes, extents(nodes, x, 0, 1), extents(nodes, index, 1, 3));
  return nodes.node('GatherElements', [x, nodes.node('Expand', [index, shape])], { axis: 2 });
}

export const unmergeTokens = defineOperation<UnmergeTokens>()({
  kind: 'unmerge_tokens',
  operands: { x: true, groups: true },
  weights: {},
  build: {
    unmergeTokens(graph: NodeBuilder<UnmergeTokens>, x: Value, groups: Value): Value {
      const [batch, , channels] = shapeOf(graph, x, 3, 'unmerge_tokens');
      const tokens = groups.shape[1] ?? 0;
      checkIndices(graph, groups, [batch, tokens], 'unmerge_tokens needs an int32 group for each token');
      return graph.emit({ kind: 'unmerge_tokens', x, groups }, [batch, tokens, channels]);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain({ x, groups }, context) {
      const byToken = context.swapped(context.name(groups));
      return context.channelsLast(lower(context, context.channelsFirst(x), byToken));
    },
    channelMajor: ({ x, groups }, context) => lower(context, context.name(x), context.name(groups)),
  },
  cuda: computedOnCpu,
});
