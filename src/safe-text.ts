/**
 * Text from outside (ids, names, file names, error texts, what a client or a file said) made safe to show: on a terminal, in
 * a log, in a reply, to the service manager. Nothing in it moves a cursor, begins a line of its own or runs backwards, and
 * none of it is longer than its reader wants.
 */

/**
 * Control characters with escape sequences and newlines among them (Cc), line and paragraph separators, halves of characters
 * (Cs), and the marks that turn the direction of writing.
 */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]/gu;
const UNSAFE_BUT_NEWLINES = new RegExp(`(?!\\n)${UNSAFE.source}`, 'gu');

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** At most `max` characters of a text, and how long it was; cut between characters, never within one. */
export function shorten(text: string, max = 200): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  const end = last >= 0xd800 && last < 0xdc00 ? max - 1 : max;
  return `${text.slice(0, end)}… (${text.length} characters)`;
}

/** One line: what can't be shown is written as an escape (`\n`, `\x1b`, `\u202e`). */
export function safeLine(text: string, max = 1000): string {
  return shorten(text, max).replace(UNSAFE, escaped);
}

/** Several lines, of a text whose newlines are our own; the rest of it as in `safeLine`. */
export function safeText(text: string, max = 8000): string {
  return shorten(text, max).replace(UNSAFE_BUT_NEWLINES, escaped);
}

/** JSON text with all of that as JSON's own escapes, so that it reads back as it was. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE_BUT_NEWLINES, jsonEscaped);
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  return NAMED[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`);
}

function jsonEscaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
