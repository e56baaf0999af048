/** Operations of tokens and of maps, which need no kernels of their own. */
import { meanMap, scaleChannels, scaleLowFrequencies } from '../map-parts.js';
import {
  attentionReceived,
  mergeTokens,
  tiledAttention,
  tokenGroups,
  unmergeTokens,
} from '../token-parts.js';
import type { MapOperation, TokenOperation } from '../../operation.js';
import type { ChannelMajorLowering } from './operations.js';

export const PART_LOWERINGS: {
  readonly [Kind in (TokenOperation | MapOperation)['kind']]: ChannelMajorLowering<Kind>;
} = {
  tiled_attention: ({ query, key, value, heads, tiles }, context) =>
    tiledAttention(
      context,
      { query: context.name(query), key: context.name(key), value: context.name(value) },
      context.name(tiles),
      (operands) =>
        context.kernel('Attention', [operands.query, operands.key, operands.value], { heads, causal: 0 }),
    ),
  attention_received: ({ query, key, heads, tiles }, context) =>
    attentionReceived(
      context,
      { query: context.name(query), key: context.name(key) },
      { heads, headDim: Number(query.shape[2]) / heads },
      tiles && context.name(tiles),
    ),
  token_groups: ({ x, order, counts }, context) =>
    tokenGroups(context, context.name(x), context.name(order), context.name(counts)),
  merge_tokens: ({ x, groups, counts }, context) =>
    mergeTokens(context, context.name(x), context.name(groups), context.name(counts)),
  unmerge_tokens: ({ x, groups }, context) => unmergeTokens(context, context.name(x), context.name(groups)),
  scale_channels: ({ x, channels, factor, map }, context) =>
    scaleChannels(context, context.name(x), 0, Number(x.shape[1]), {
      channels,
      factor,
      map: map && context.name(map),
    }),
  mean_map: ({ x }, context) => meanMap(context, context.name(x), 0),
  scale_low_frequencies: ({ x, factor }, context) => scaleLowFrequencies(context, context.name(x), factor),
};
