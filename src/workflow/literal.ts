import { pythonFloat } from '../python-float.js';

/**
 * Values as a workflow's JSON writes them. As in Python, which ComfyUI reads them with, `5` is an integer of any size (a
 * bigint here) and `5.0` or `5e0` is a float (a number): conversions, messages and metadata depend on the difference.
 */
export type Literal = string | number | bigint | boolean | null | readonly Literal[] | LiteralObject;

/** In the order of the file, which JavaScript's own objects don't keep: saved pictures carry it, and outputs run in it. */
export type LiteralObject = ReadonlyMap<string, Literal>;

export function isLiteralObject(value: Literal | undefined): value is LiteralObject {
  return value instanceof Map;
}

export function literalObject(fields: Readonly<Record<string, Literal>>): LiteralObject {
  return new Map(Object.entries(fields));
}

/** Plain JSON, safe for `JSON.stringify` and for every message channel. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A literal as plain JSON; an integer that a double can't hold becomes its decimal digits. */
export function toJson(value: Literal): Json {
  if (typeof value === 'bigint') {
    const double = Number(value);
    return Number.isSafeInteger(double) ? double : value.toString();
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : pythonStr(value);
  if (Array.isArray(value)) return (value as readonly Literal[]).map(toJson);
  if (isLiteralObject(value)) {
    return Object.fromEntries([...value].map(([key, item]) => [key, toJson(item)]));
  }
  return value as string | boolean | null;
}

/** Python's `str` of a JSON value: what ComfyUI makes of a non-text given to a STRING input, and puts into messages. */
export function pythonStr(value: Literal): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}

/** Python's `repr` of a JSON value. */
export function pythonRepr(value: Literal): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return pythonFloat(value);
  if (isLiteralObject(value)) {
    const items = [...value].map(([key, item]) => `${quote(key)}: ${pythonRepr(item)}`);
    return `{${items.join(', ')}}`;
  }
  return `[${value.map(pythonRepr).join(', ')}]`;
}

const namedEscapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
};

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ') return character;
    return namedEscapes[character] ?? hexEscape(character.codePointAt(0)!);
  });
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
}

/** `\x07`, `\u2028` or `\U000e0001`. */
function hexEscape(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** Python's `json.dumps` with its defaults, as ComfyUI writes workflows into PNG metadata: ASCII, `", "` and `": "`. */
export function pythonJson(value: Literal): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return asciiJson(value);
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 'NaN';
    if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
    return pythonFloat(value);
  }
  if (isLiteralObject(value)) {
    const items = [...value].map(([key, item]) => `${asciiJson(key)}: ${pythonJson(item)}`);
    return `{${items.join(', ')}}`;
  }
  return `[${value.map(pythonJson).join(', ')}]`;
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
