/** Python's values and how it writes them down: `str`, `repr`, `json.dumps`. */
import { pythonFloat } from '../python-float.js';

/** Whole numbers are bigints, numbers floats, as JSON and Python tell them apart. Maps are dictionaries with texts as keys. */
export type PythonValue =
  string | number | bigint | boolean | null | readonly PythonValue[] | ReadonlyMap<string, PythonValue>;

export function isDictionary(value: PythonValue | undefined): value is ReadonlyMap<string, PythonValue> {
  return value instanceof Map;
}

function isList(value: PythonValue): value is readonly PythonValue[] {
  return Array.isArray(value);
}

/**
 * A value that flows between nodes. Numbers lie there as doubles: `type` is ComfyUI's name of the type that brought it (INT,
 * FLOAT); without one, whole numbers are integers. Undefined for what is no plain data.
 */
export function toPython(value: unknown, type?: string): PythonValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      return type !== 'FLOAT' && Number.isInteger(value) ? BigInt(value) : value;
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : objectToPython(value);
    default:
      return undefined;
  }
}

function objectToPython(value: object): PythonValue | undefined {
  if (Array.isArray(value)) {
    const items = value.map((item) => toPython(item));
    return items.includes(undefined) ? undefined : (items as PythonValue[]);
  }
  const isPlain = Object.getPrototypeOf(value) === Object.prototype && !('shape' in value && 'data' in value);
  if (!isPlain) return undefined;
  const entries = Object.entries(value).map(([key, item]) => [key, toPython(item)] as const);
  return entries.some(([, item]) => item === undefined)
    ? undefined
    : new Map(entries as [string, PythonValue][]);
}

/** `str(value)`. */
export function pythonStr(value: PythonValue): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}

/** `repr(value)`. */
export function pythonRepr(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return pythonFloat(value);
  if (isList(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  return `{${[...value].map(([key, item]) => `${quoted(key)}: ${pythonRepr(item)}`).join(', ')}}`;
}

/** `ascii(value)`: `repr` with what is beyond ASCII escaped. */
export function pythonAscii(value: PythonValue): string {
  return pythonRepr(value).replace(/[\x7f-\u{10ffff}]/gu, (character) =>
    hexEscape(character.codePointAt(0)!),
  );
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
};

/** A text as `repr` writes it. */
function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ') return character;
    return NAMED_ESCAPES[character] ?? hexEscape(character.codePointAt(0)!);
  });
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
}

/** `\x07`, `\u2028` or `\U000e0001`. */
function hexEscape(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

export interface JsonForm {
  /** Spaces a level; 0 for one line with `", "` and `": "`. */
  readonly indent?: number;
  /** Whether characters beyond ASCII are escaped, as by default. */
  readonly ascii?: boolean;
}

/** `json.dumps(value, indent=…, ensure_ascii=…)`. */
export function pythonJson(value: PythonValue, { indent = 0, ascii = true }: JsonForm = {}): string {
  const text = (item: string) => (ascii ? asciiJson(item) : JSON.stringify(item));
  const written = (item: PythonValue, level: number): string => {
    if (item === null || typeof item === 'boolean' || typeof item === 'bigint') return String(item);
    if (typeof item === 'string') return text(item);
    if (typeof item === 'number') return jsonFloat(item);
    const list = isList(item);
    const parts = list
      ? item.map((each) => written(each, level + 1))
      : [...item].map(([key, each]) => `${text(key)}: ${written(each, level + 1)}`);
    const [open, close] = list ? ['[', ']'] : ['{', '}'];
    if (parts.length === 0 || indent === 0) return `${open}${parts.join(', ')}${close}`;
    const line = (depth: number) => `\n${' '.repeat(indent * depth)}`;
    return `${open}${line(level + 1)}${parts.join(`,${line(level + 1)}`)}${line(level)}${close}`;
  };
  return written(value, 0);
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return pythonFloat(value);
}

/** A text as `json.dumps` writes it: ASCII. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
