import { pythonJson, pythonStr, type PythonValue } from '../python/value.js';

export { pythonJson, pythonRepr, pythonStr } from '../python/value.js';

/**
 * Values as a workflow's JSON writes them. As in Python, which ComfyUI reads them with, `5` is an integer of any size (a
 * bigint here) and `5.0` or `5e0` is a float (a number): conversions, messages and metadata depend on the difference.
 */
export type Literal = PythonValue;

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

/** JSON on many lines, two spaces a level, as people read and edit it; integers keep all their digits. */
export function indentedJson(value: Literal, margin = ''): string {
  const inner = `${margin}  `;
  if (isLiteralObject(value) && value.size > 0) {
    const items = [...value].map(
      ([key, item]) => `${inner}${JSON.stringify(key)}: ${indentedJson(item, inner)}`,
    );
    return `{\n${items.join(',\n')}\n${margin}}`;
  }
  if (Array.isArray(value) && value.length > 0) {
    const items = (value as readonly Literal[]).map((item) => `${inner}${indentedJson(item, inner)}`);
    return `[\n${items.join(',\n')}\n${margin}]`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : pythonJson(value);
}
