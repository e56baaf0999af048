/** Operations of tokens and of maps; tokens are transposed to the channel-major order of `token-parts.ts` and back. */
import { meanMap, scaleChannels, scaleLowFrequencies } from '../map-parts.js';
import type { MapOperation, TokenOperation } from '../../operation.js';
import {
  attentionReceived,
  mergeTokens,
  tiledAttention,
  tokenGroups,
  unmergeTokens,
} from '../token-parts.js';
import type { Value } from '../../graph.js';
import type { Lowering, LoweringContext } from './context.js';

/** N×T×C → C×N×T */
function channelsFirst(context: LoweringContext, value: Value): string {
  return context.node('Transpose', [context.name(value)], { perm: [2, 0, 1] });
}

function channelsLast(context: LoweringContext, name: string): string {
  return context.node('Transpose', [name], { perm: [1, 2, 0] });
}

/** N×T ↔ T×N */
function swapped(context: LoweringContext, name: string): string {
  return context.node('Transpose', [name], { perm: [1, 0] });
}

export const PART_LOWERINGS: {
  readonly [Kind in (TokenOperation | MapOperation)['kind']]: Lowering<Kind>;
} = {
  tiled_attention: ({ query, key, value, heads, tiles }, context) => {
    const operands = {
      query: channelsFirst(context, query),
      key: channelsFirst(context, key),
      value: channelsFirst(context, value),
    };
    const mixed = tiledAttention(context, operands, context.name(tiles), (parts) => {
      const tokensFirst = [parts.query, parts.key, parts.value].map((name) => channelsLast(context, name));
      const result = context.nodeIn('com.microsoft', 'MultiHeadAttention', tokensFirst, { num_heads: heads });
      return context.node('Transpose', [result], { perm: [2, 0, 1] });
    });
    return channelsLast(context, mixed);
  },
  attention_received: ({ query, key, heads, tiles }, context) => {
    const operands = { query: channelsFirst(context, query), key: channelsFirst(context, key) };
    const sizes = { heads, headDim: Number(query.shape[2]) / heads };
    return swapped(context, attentionReceived(context, operands, sizes, tiles && context.name(tiles)));
  },
  token_groups: ({ x, order, counts }, context) =>
    swapped(
      context,
      tokenGroups(context, channelsFirst(context, x), context.name(order), context.name(counts)),
    ),
  merge_tokens: ({ x, groups, counts }, context) => {
    const byToken = swapped(context, context.name(groups));
    return channelsLast(
      context,
      mergeTokens(context, channelsFirst(context, x), byToken, context.name(counts)),
    );
  },
  unmerge_tokens: ({ x, groups }, context) => {
    const byToken = swapped(context, context.name(groups));
    return channelsLast(context, unmergeTokens(context, channelsFirst(context, x), byToken));
  },
  scale_channels: ({ x, channels, factor, map }, context) =>
    scaleChannels(context, context.name(x), 1, Number(x.shape[1]), {
      channels,
      factor,
      map: map && context.name(map),
    }),
  mean_map: ({ x }, context) => meanMap(context, context.name(x), 1),
  scale_low_frequencies: ({ x, factor }, context) => scaleLowFrequencies(context, context.name(x), factor),
};
