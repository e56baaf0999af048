import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';
import { checkAttention, SOFTMAX_FLOPS } from './shared/attention.js';

/** softmax(q·kᵀ/√d)·v per head, on N×T×(heads·d); `causal` hides later tokens. */
export interface Attention {
  readonly kind: 'attention';
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly heads: number;
  readonly causal: boolean;
}

/** Of tokens that ask and tokens that are asked; a causal one sees itself and those before it. */
function visiblePairs(queries: number, keys: number, causal: boolean): number {
  if (!causal) return queries * keys;
  const seeing = Math.min(queries, keys);
  return (seeing * (seeing + 1)) / 2 + (queries - seeing) * keys;
}

export const attention = defineOperation<Attention>()({
  kind: 'attention',
  operands: { query: true, key: true, value: true },
  weights: {},
  build: {
    attention(
      graph: NodeBuilder<Attention>,
      query: Value,
      key: Value,
      value: Value,
      heads: number,
      options: { readonly causal?: boolean } = {},
    ): Value {
      checkAttention(graph, query, key, value, heads);
      const causal = options.causal ?? false;
      return graph.emit({ kind: 'attention', query, key, value, heads, causal }, query.shape);
    },
  },
  cost({ query, key, heads, causal }, { extents }) {
    const [rows, tokens, channels] = extents(query) as [number, number, number];
    const scores = rows * visiblePairs(tokens, extents(key)[1]!, causal);
    return { flops: scores * (4 * channels + SOFTMAX_FLOPS * heads) };
  },
  onnx: {
    plain: ({ query, key, value, heads, causal }, context) =>
      context.nodeIn(
        'com.microsoft',
        'MultiHeadAttention',
        [context.name(query), context.name(key), context.name(value)],
        causal ? { num_heads: heads, unidirectional: 1 } : { num_heads: heads },
      ),
    channelMajor: ({ query, key, value, heads, causal }, context) =>
      context.kernel('Attention', [context.name(query), context.name(key), context.name(value)], {
        heads,
        causal: causal ? 1 : 0,
      }),
  },
  cuda({ query, key, value, heads, causal }, context, { result }) {
    const operands = { query: context.view(query), key: context.view(key), value: context.view(value) };
    const [batch] = context.extents(query) as [number];
    context.emit({ kind: 'attention', ...operands, out: context.place(result), batch, heads, causal });
  },
});
