/** Families with one text encoder: its states, whatever it pools, and its mask. */
import type { EncodedText } from '../../text/encoded-text.js';
import type { EncodedSections, TextEncoder, TextEncoding } from '../../text/text-encoding.js';

export function singleText(encoder: TextEncoder): TextEncoding {
  return { encoders: [encoder], join: ([encoded]) => textOf(encoded!) };
}

function textOf({ hidden, pooled, mask }: EncodedSections): EncodedText {
  return {
    cond: hidden,
    ...(pooled === undefined ? {} : { pooled }),
    ...(mask === undefined ? {} : { attentionMask: mask }),
  };
}
