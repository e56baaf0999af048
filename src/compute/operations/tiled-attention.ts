import type { NodeBuilder } from '../node-builder.js';
import type { NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { checkAttention, checkTiles, SOFTMAX_FLOPS } from './shared/attention.js';
import { TileCut } from './shared/tiles.js';

/**
 * Attention within tiles of a picture of h×w tokens cut nh×nw; `tiles` is the int32 vector [nh, nw, h, w], whose first two
 * divide the others. Queries are those of a tile; its keys and values are a run of T/(nh·nw) tokens, the same one by number.
 */
export interface TiledAttention {
  readonly kind: 'tiled_attention';
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly heads: number;
  readonly tiles: Value;
}

interface Operands {
  readonly query: string;
  readonly key: string;
  readonly value: string;
}

/** On channel-major operands; `attend` writes plain attention. */
function lower(
  nodes: NodeWriter,
  { query, key, value }: Operands,
  tiles: string,
  attend: (operands: Operands) => string,
): string {
  const cut = new TileCut(nodes, tiles);
  const mixed = attend({ query: cut.query(query), key: cut.run(key), value: cut.run(value) });
  return cut.joined(mixed, query);
}

export const tiledAttention = defineOperation<TiledAttention>()({
  kind: 'tiled_attention',
  operands: { query: true, key: true, value: true, tiles: true },
  weights: {},
  build: {
    tiledAttention(
      graph: NodeBuilder<TiledAttention>,
      query: Value,
      key: Value,
      value: Value,
      heads: number,
      tiles: Value,
    ): Value {
      checkAttention(graph, query, key, value, heads);
      checkTiles(graph, tiles);
      return graph.emit({ kind: 'tiled_attention', query, key, value, heads, tiles }, query.shape);
    },
  },
  // Of the whole picture: how it is cut is known only when it is.
  cost({ query, heads }, { extents }) {
    const [rows, tokens, channels] = extents(query) as [number, number, number];
    return { flops: rows * tokens * tokens * (4 * channels + SOFTMAX_FLOPS * heads) };
  },
  onnx: {
    plain({ query, key, value, heads, tiles }, context) {
      const operands = {
        query: context.channelsFirst(query),
        key: context.channelsFirst(key),
        value: context.channelsFirst(value),
      };
      const mixed = lower(context, operands, context.name(tiles), (cut) => {
        const tokensFirst = [cut.query, cut.key, cut.value].map((name) => context.channelsLast(name));
        const attributes = { num_heads: heads };
        const result = context.nodeIn('com.microsoft', 'MultiHeadAttention', tokensFirst, attributes);
        return context.node('Transpose', [result], { perm: [2, 0, 1] });
      });
      return context.channelsLast(mixed);
    },
    channelMajor: ({ query, key, value, heads, tiles }, context) =>
      lower(
        context,
        { query: context.name(query), key: context.name(key), value: context.name(value) },
        context.name(tiles),
        (cut) =>
          context.kernel('Attention', [cut.query, cut.key, cut.value], {
            heads,
            key_heads: heads,
            causal: 0,
          }),
      ),
  },
  cuda: computedOnCpu,
});
