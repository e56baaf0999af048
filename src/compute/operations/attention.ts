import type { ChannelMajorContext } from '../lowering/onnx/channel-major-context.js';
import { extents, join } from '../lowering/onnx/nodes.js';
import type { PlainContext } from '../lowering/onnx/plain-context.js';
import type { NodeBuilder } from '../node-builder.js';
import { UnsupportedOperation } from '../unsupported.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';
import { checkAttention, checkBias, SOFTMAX_FLOPS } from './shared/attention.js';

/**
 * softmax(q·kᵀ/√d + bias)·v per head, on N×T×(heads·d); `causal` hides later tokens. Keys and values may have fewer heads, then
 * as many of the query's in a row share one.
 */
export interface Attention {
  readonly kind: 'attention';
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** N|1 × heads|1 × Tq|1 × Tk. */
  readonly bias: Value | undefined;
  readonly heads: number;
  readonly keyHeads: number;
  readonly causal: boolean;
}

export interface AttentionOptions {
  readonly causal?: boolean;
  readonly bias?: Value | undefined;
  /** Heads of keys and values: as many as the query's when left out. */
  readonly keyHeads?: number;
}

/** Of tokens that ask and tokens that are asked; a causal one sees itself and those before it. */
function visiblePairs(queries: number, keys: number, causal: boolean): number {
  if (!causal) return queries * keys;
  const seeing = Math.min(queries, keys);
  return (seeing * (seeing + 1)) / 2 + (queries - seeing) * keys;
}

function lowerPlain(
  { query, key, value, bias, heads, keyHeads, causal }: Attention,
  context: PlainContext,
): string {
  const { model } = context;
  const repeated = (x: Value): string => {
    if (keyHeads === heads) return context.name(x);
    const cut = context.node('Reshape', [context.name(x), model.ints([0, 0, keyHeads, 1, -1])]);
    const wide = context.node('Expand', [cut, model.ints([1, 1, 1, heads / keyHeads, 1])]);
    return context.node('Reshape', [
      wide,
      join(context, extents(context, context.name(x), 0, 2), [heads * headDim]),
    ]);
  };
  const headDim = Number(query.shape[2]) / heads;
  const operands = [context.name(query), repeated(key), repeated(value)];
  if (bias !== undefined) {
    const rows = join(context, [1, 1], extents(context, context.name(query), 1, 2), [1]);
    operands.push('', '', context.node('Expand', [context.name(bias), rows]));
  }
  const attributes = causal ? { num_heads: heads, unidirectional: 1 } : { num_heads: heads };
  return context.nodeIn('com.microsoft', 'MultiHeadAttention', operands, attributes);
}

function lowerChannelMajor(
  { query, key, value, bias, heads, keyHeads, causal }: Attention,
  context: ChannelMajorContext,
): string {
  const operands = [query, key, value, bias].map((operand) => operand && context.name(operand));
  return context.kernel('Attention', operands, { heads, key_heads: keyHeads, causal: causal ? 1 : 0 });
}

export const attention = defineOperation<Attention>()({
  kind: 'attention',
  operands: { query: true, key: true, value: true, bias: true },
  weights: {},
  build: {
    attention(
      graph: NodeBuilder<Attention>,
      query: Value,
      key: Value,
      value: Value,
      heads: number,
      { causal = false, bias, keyHeads = heads }: AttentionOptions = {},
    ): Value {
      checkAttention(graph, query, key, value, heads, keyHeads);
      if (bias !== undefined) checkBias(graph, bias, query, key, heads);
      return graph.emit({ kind: 'attention', query, key, value, bias, heads, keyHeads, causal }, query.shape);
    },
  },
  cost({ query, key, bias, heads, causal }, { extents: extentsOf }) {
    const [rows, tokens, channels] = extentsOf(query) as [number, number, number];
    const scores = rows * visiblePairs(tokens, extentsOf(key)[1]!, causal);
    const added = bias === undefined ? 0 : 1;
    return { flops: scores * (4 * channels + (SOFTMAX_FLOPS + added) * heads) };
  },
  onnx: { plain: lowerPlain, channelMajor: lowerChannelMajor },
  cuda({ query, key, value, bias, heads, keyHeads, causal }, context, { result }) {
    if (bias !== undefined || keyHeads !== heads) {
      throw new UnsupportedOperation('the CUDA engine has attention without bias and shared heads');
    }
    const operands = { query: context.view(query), key: context.view(key), value: context.view(value) };
    const [batch] = context.extents(query) as [number];
    context.emit({ kind: 'attention', ...operands, out: context.place(result), batch, heads, causal });
  },
});
