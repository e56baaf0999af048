import { formatShape, sameShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import { unitLength, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';

/**
 * Attention of a head's channels among each other: softmax(temperature·q̂·k̂ᵀ)·v with q, k, v as (heads·d)×T, q̂ and k̂ of
 * length 1 along T where `normalized`. Operands are N×T×(heads·d).
 */
export interface ChannelAttention {
  readonly kind: 'channel_attention';
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly heads: number;
  /** One number a head. */
  readonly temperature: Weight;
  readonly normalized: boolean;
}

interface Operands {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** Broadcasts to the scores. */
  readonly temperature: string;
  readonly normalized: boolean;
}

/** On N×heads×d×T, or heads×N×d×T. */
function attend(nodes: NodeWriter, { query, key, value, temperature, normalized }: Operands): string {
  const q = normalized ? unitLength(nodes, query, 3) : query;
  const k = normalized ? unitLength(nodes, key, 3) : key;
  const scores = nodes.node('MatMul', [q, nodes.node('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  const weights = nodes.node('Softmax', [nodes.node('Mul', [scores, temperature])], { axis: -1 });
  return nodes.node('MatMul', [weights, value]);
}

export const channelAttention = defineOperation<ChannelAttention>()({
  kind: 'channel_attention',
  operands: { query: true, key: true, value: true },
  weights: { temperature: true },
  build: {
    channelAttention(
      graph: NodeBuilder<ChannelAttention>,
      query: Value,
      key: Value,
      value: Value,
      heads: number,
      options: { readonly temperature: Weight; readonly normalized: boolean },
    ): Value {
      const [, , features] = shapeOf(graph, query, 3, 'channel_attention');
      graph.check(
        sameShape(query.shape, key.shape) &&
          sameShape(query.shape, value.shape) &&
          typeof features === 'number' &&
          features % heads === 0,
        `channel_attention with ${heads} heads can't split ${formatShape(query.shape)}`,
      );
      return graph.emit({ kind: 'channel_attention', query, key, value, heads, ...options }, query.shape);
    },
  },
  cost({ query, heads }, { extents }) {
    const [rows, tokens, channels] = extents(query) as [number, number, number];
    return { flops: (rows * tokens * channels * channels * 4) / heads };
  },
  onnx: {
    plain({ query, key, value, heads, temperature, normalized }, context) {
      const split = (operand: Value): string => context.splitHeads(operand, heads, [0, 2, 3, 1]);
      const operands = { query: split(query), key: split(key), value: split(value) };
      const perHead = context.reshaped(temperature, [heads, 1, 1]);
      const mixed = attend(context, { ...operands, temperature: perHead, normalized });
      const back = context.node('Transpose', [mixed], { perm: [0, 3, 1, 2] });
      return context.node('Reshape', [back, context.model.ints([0, 0, -1])]);
    },
    channelMajor({ query, key, value, heads, temperature, normalized }, context) {
      // (heads·d)×N×T → heads×N×d×T
      const split = (operand: Value): string =>
        context.node('Transpose', [context.splitHeads(operand, heads)], { perm: [0, 2, 1, 3] });
      const operands = { query: split(query), key: split(key), value: split(value) };
      const perHead = context.constant(temperature, [heads, 1, 1, 1]);
      const mixed = attend(context, { ...operands, temperature: perHead, normalized });
      const back = context.node('Transpose', [mixed], { perm: [0, 2, 1, 3] });
      return context.node('Reshape', [back, context.node('Shape', [context.name(query)])]);
    },
  },
  cuda: computedOnCpu,
});
