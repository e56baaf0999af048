/** Python's `str` methods where JavaScript's differ: characters are code points, and white space is another set. */

/** What `str.isspace` is true for. */
export const WHITE_SPACE =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const LEADING = new RegExp(`^[${WHITE_SPACE}]+`, 'u');
const TRAILING = new RegExp(`[${WHITE_SPACE}]+$`, 'u');

/** `str.strip`, `str.lstrip` and `str.rstrip`; of `characters`, where they are given, as code points. */
export function strip(text: string, sides: 'both' | 'left' | 'right' = 'both', characters?: string): string {
  if (characters !== undefined) return stripOf(text, sides, new Set(characters));
  const start = sides === 'right' ? text : text.replace(LEADING, '');
  return sides === 'left' ? start : start.replace(TRAILING, '');
}

function stripOf(text: string, sides: 'both' | 'left' | 'right', characters: ReadonlySet<string>): string {
  const all = codePoints(text);
  let [start, end] = [0, all.length];
  if (sides !== 'right') while (start < end && characters.has(all[start]!)) start++;
  if (sides !== 'left') while (end > start && characters.has(all[end - 1]!)) end--;
  return all.slice(start, end).join('');
}

/** The characters of a text, one by one. */
export function codePoints(text: string): string[] {
  return Array.from(text);
}

/** `len`. */
export function textLength(text: string): number {
  return codePoints(text).length;
}

/** `text[start:end]`. */
export function sliceText(text: string, start?: number, end?: number): string {
  return codePoints(text).slice(start, end).join('');
}

/** Letters of two whose first alone is a capital in titles. */
const DIGRAPHS: Readonly<Record<string, string>> = {
  Ǆ: 'ǅ',
  Ǉ: 'ǈ',
  Ǌ: 'ǋ',
  Ǳ: 'ǲ',
};

function titleCase(character: string): string {
  const upper = character.toUpperCase();
  const digraph = DIGRAPHS[upper];
  if (digraph !== undefined) return digraph;
  const [first = '', ...rest] = codePoints(upper);
  return first + rest.join('').toLowerCase();
}

/** `str.capitalize`. */
export function capitalize(text: string): string {
  const first = String.fromCodePoint(...[text.codePointAt(0)].filter((code) => code !== undefined));
  return titleCase(first) + text.slice(first.length).toLowerCase();
}

/** `str.title`: of each run of letters the first is a capital. */
export function title(text: string): string {
  return text.replace(/(\p{Cased})(\p{Cased}*)/gu, (_, first: string, rest: string) => {
    // Lower case looks at what stands before: a sigma at the end of a word.
    return titleCase(first) + (first + rest).toLowerCase().slice(first.toLowerCase().length);
  });
}

/** `text.replace(find, replacement)`: every one; an empty `find` stands between all characters. */
export function replaceText(text: string, find: string, replacement: string): string {
  if (find !== '') return text.split(find).join(replacement);
  return (
    replacement +
    codePoints(text)
      .map((character) => character + replacement)
      .join('')
  );
}
