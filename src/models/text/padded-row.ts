/** A prompt as one section of any length (ComfyUI comfy/sd1_clip.py, SDTokenizer with pad_to_max_length off). */
import type { PromptLengths, Section, WeightedToken } from './text-encoding.js';

export interface RowLayout {
  readonly start?: number;
  readonly end?: number;
  readonly pad: number;
  readonly least: number;
  /** Tokens, beyond which a prompt is cut; HiDream's T5. */
  readonly most?: number;
  /** Padding goes in front. */
  readonly padsLeft?: boolean;
}

/** A group of fewer tokens is never cut in two. */
const longGroup = 8;

export function paddedRow(
  groups: readonly (readonly WeightedToken[])[],
  layout: RowLayout,
  lengths: PromptLengths = { padding: 0, least: layout.least },
): Section {
  const { start, end, pad, most = Infinity, padsLeft = false } = layout;
  const ends = end === undefined ? 0 : 1;
  const row: WeightedToken[] = start === undefined ? [] : [{ token: start, weight: 1 }];
  for (const group of groups) {
    const room = most - row.length - ends;
    if (group.length > room) {
      if (group.length >= longGroup) row.push(...group.slice(0, room));
      break;
    }
    for (const token of group) row.push(token);
  }
  if (end !== undefined) row.push({ token: end, weight: 1 });
  const missing = lengths.padding + Math.max(0, lengths.least - row.length - lengths.padding);
  const padding = Array.from({ length: missing }, () => ({ token: pad, weight: 1 }));
  return padsLeft ? [...padding, ...row] : [...row, ...padding];
}

/** Tokens that begin and end a row as its network sees it, which isn't always as the tokenizer makes it. */
export interface SpecialTokens {
  readonly start?: number;
  readonly end?: number;
  readonly pad: number;
}

/** A row without words, against which weights are measured (ComfyUI gen_empty_tokens). */
export function emptyRow({ start, end, pad }: SpecialTokens, length: number): Section {
  const tokens = [start, end].filter((token) => token !== undefined);
  while (tokens.length < length) tokens.push(pad);
  return tokens.map((token) => ({ token, weight: 1 }));
}

/**
 * 1 where a token counts, 0 where it is padding: all behind the first end, or in front of the first that is none (ComfyUI
 * SDClipModel.process_tokens). What stands in a token's place counts for each of its rows.
 */
export function rowMask(
  tokens: readonly (number | { readonly rows: number })[],
  { end, pad }: SpecialTokens,
): number[] {
  const stop = end ?? pad;
  const mask: number[] = [];
  let ended = false;
  let leading = false;
  tokens.forEach((token, index) => {
    if (typeof token !== 'number') {
      for (let row = 0; row < token.rows; row++) mask.push(1);
      return;
    }
    if (index === 0 && token === pad) leading = true;
    const hidden = ended || (leading && token === pad);
    if (!hidden) leading = false;
    const stops = !ended && token === stop && !leading;
    mask.push(hidden || (stops && end === undefined) ? 0 : 1);
    if (stops) ended = true;
  });
  return mask;
}
