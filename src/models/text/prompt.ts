/**
 * ComfyUI's prompt syntax: `(text)` weighs 1.1 times as much, `(text:1.3)` exactly 1.3, `\(` and `\)` are plain
 * parentheses, and `embedding:NAME` stands for a textual inversion (ComfyUI comfy/sd1_clip.py).
 */

export interface WeightedText {
  readonly text: string;
  readonly weight: number;
}

/** A run of plain text, or the words after an `embedding:` up to the next one. */
export type PromptPart =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'embedding'; readonly words: string };

/** Beyond this a prompt is a mistake; Python stops there as well. */
const deepestNesting = 900;

/** Characters of a prompt: some forty thousand words, of which one that long would keep an encoder busy for minutes. */
const longestPrompt = 200_000;

/**
 * Splits a prompt into runs of equal weight, escapes resolved. Throws `RangeError` for one that is absurdly long, or nests
 * parentheses absurdly deep.
 */
export function parseWeights(prompt: string): WeightedText[] {
  checkLength(prompt);
  const escaped = prompt.replaceAll('\\)', '\0\x01').replaceAll('\\(', '\0\x02');
  return weigh(escaped, 1, 0).map(({ text, weight }) => ({
    text: text.replaceAll('\0\x01', ')').replaceAll('\0\x02', '('),
    weight,
  }));
}

/** A prompt whose parentheses are text, escaped or not. Throws `RangeError` for one that is absurdly long. */
export function unescape(prompt: string): string {
  checkLength(prompt);
  return prompt.replaceAll('\\)', ')').replaceAll('\\(', '(');
}

function checkLength(prompt: string): void {
  if (prompt.length <= longestPrompt) return;
  throw new RangeError(`a prompt has at most ${longestPrompt} characters; this one has ${prompt.length}`);
}

/** Splits a run at each `embedding:` behind a space (or at the start). */
export function splitEmbeddings(text: string): PromptPart[] {
  return text
    .split(embeddingMark)
    .map((part, index) => (index === 0 ? part : `embedding:${part}`))
    .filter((part) => part !== '')
    .map((part) =>
      part.startsWith('embedding:')
        ? { kind: 'embedding', words: part.slice('embedding:'.length) }
        : { kind: 'text', text: part },
    );
}

/** ComfyUI comfy/sd1_clip.py, token_weights. */
function weigh(text: string, weight: number, depth: number): WeightedText[] {
  if (depth > deepestNesting) {
    throw new RangeError(`the prompt nests parentheses more than ${deepestNesting} deep`);
  }
  return splitAtParentheses(text).flatMap((part) => {
    if (part.length < 2 || !part.startsWith('(') || !part.endsWith(')')) return { text: part, weight };
    const inner = part.slice(1, -1);
    const colon = inner.lastIndexOf(':');
    const given = colon > 0 ? parseFloatAsPython(inner.slice(colon + 1)) : undefined;
    return given === undefined
      ? weigh(inner, weight * 1.1, depth + 1)
      : weigh(inner.slice(0, colon), given, depth + 1);
  });
}

/**
 * Splits at the outermost parentheses, which stay on their parts. What is left open runs to the end; a level below zero,
 * after a stray `)`, is kept as in ComfyUI's parse_parentheses.
 */
function splitAtParentheses(text: string): string[] {
  const parts: string[] = [];
  let level = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '(') {
      if (level === 0 && index > start) {
        parts.push(text.slice(start, index));
        start = index;
      }
      level += 1;
    } else if (text[index] === ')') {
      level -= 1;
      if (level === 0) {
        parts.push(text.slice(start, index + 1));
        start = index + 1;
      }
    }
  }
  if (start < text.length) parts.push(text.slice(start));
  return parts;
}

/** What Python's `str.split` and `str.strip` take for space. */
export const pythonSpace = '[\\p{White_Space}\\x1c-\\x1f]';
const embeddingMark = new RegExp(`(?<=${pythonSpace})embedding:`, 'u');
const outerSpace = new RegExp(`^${pythonSpace}+|${pythonSpace}+$`, 'gu');
const digits = '[0-9](?:_?[0-9])*';
const decimal = new RegExp(
  `^[+-]?(?:${digits}(?:\\.(?:${digits})?)?|\\.${digits})(?:e[+-]?${digits})?$`,
  'i',
);

/** Python's `float(text)`; undefined where that throws `ValueError`. */
export function parseFloatAsPython(text: string): number | undefined {
  const trimmed = text.replace(outerSpace, '').replace(/\p{Nd}/gu, digitValue);
  if (decimal.test(trimmed)) return Number(trimmed.replaceAll('_', ''));
  const named = /^([+-]?)(inf|infinity|nan)$/i.exec(trimmed);
  if (named === null) return undefined;
  if (named[2]!.toLowerCase() === 'nan') return NaN;
  return named[1] === '-' ? -Infinity : Infinity;
}

/** Decimal digits of every script come in runs of ten (or several tens), zero first. */
function digitValue(digit: string): string {
  const code = digit.codePointAt(0)!;
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - before - 1))) before += 1;
  return String(before % 10);
}
