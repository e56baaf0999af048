/**
 * JSON as Python's json module reads it, which ComfyUI's files are written and read with: `NaN`, `Infinity` and `-Infinity` are
 * numbers, integers keep all their digits, an object's keys keep their order (JavaScript's own objects move keys like "12" to
 * the front), and the last of two equal keys counts.
 */
import { MAX_DIGITS, tooManyDigits } from './numbers.js';
import type { PythonValue } from './value.js';

/** Text that isn't JSON; `position` counts UTF-16 units from 0. */
export class JsonError extends Error {
  override readonly name = 'JsonError';

  constructor(
    message: string,
    readonly position: number,
  ) {
    super(message);
  }
}

/** Lists and objects within one another beyond the limit. */
export class JsonDepthError extends Error {
  override readonly name = 'JsonDepthError';
}

/** More values than may be, those inside of others included. */
export class JsonSizeError extends Error {
  override readonly name = 'JsonSizeError';
}

/**
 * Throws `JsonError`, `JsonDepthError` for lists and objects more than `maxDepth` deep, and `JsonSizeError` for more than
 * `maxValues` values in all, a microsecond's work each.
 */
export function parseJson(text: string, maxDepth: number, maxValues = Infinity): PythonValue {
  return new Reader(text, maxDepth, maxValues).document();
}

/** The same; undefined for what is no JSON, or deeper than anybody writes it. */
export function parseData(text: string): PythonValue | undefined {
  try {
    return parseJson(text, 500);
  } catch (error) {
    if (error instanceof JsonError || error instanceof JsonDepthError) return undefined;
    throw error;
  }
}

const WORDS: ReadonlyMap<string, PythonValue> = new Map<string, PythonValue>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

class Reader {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
    private valuesLeft: number,
  ) {}

  document(): PythonValue {
    const value = this.value('JSON value expected', 0);
    this.skipSpace();
    if (this.at < this.text.length) throw this.expected('Expected end of input');
    return value;
  }

  private value(expectation: string, depth: number): PythonValue {
    if (this.valuesLeft-- <= 0) throw new JsonSizeError();
    this.skipSpace();
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth + 1);
      case '[':
        return this.list(depth + 1);
      case '"':
        return this.string();
      default:
        return this.wordOrNumber(expectation);
    }
  }

  private object(depth: number): PythonValue {
    if (depth > this.maxDepth) throw new JsonDepthError();
    const entries = new Map<string, PythonValue>();
    this.at++;
    if (this.skip('}')) return entries;
    do {
      this.skipSpace();
      if (this.text[this.at] !== '"') throw this.expected('Quoted object key expected');
      const key = this.string();
      if (!this.skip(':')) throw this.expected(`Colon ':' expected after property name`);
      entries.set(key, this.value(`Object value expected after ':'`, depth));
    } while (this.skip(','));
    if (!this.skip('}')) throw this.expected(`Comma ',' or end of object '}' expected`);
    return entries;
  }

  private list(depth: number): PythonValue {
    if (depth > this.maxDepth) throw new JsonDepthError();
    const items: PythonValue[] = [];
    this.at++;
    if (this.skip(']')) return items;
    do {
      items.push(this.value('Array item expected', depth));
    } while (this.skip(','));
    if (!this.skip(']')) throw this.expected(`Comma ',' or end of array ']' expected`);
    return items;
  }

  /** Begins at the quote. */
  private string(): string {
    const start = this.at;
    let plain = true;
    for (let at = start + 1; ; at++) {
      const code = this.text.charCodeAt(at);
      if (code === QUOTE) {
        this.at = at + 1;
        return plain ? this.text.slice(start + 1, at) : this.unescaped(start);
      }
      if (code === BACKSLASH) {
        plain = false;
        at++;
      } else if (!(code >= 0x20)) {
        // NaN at the end of the text.
        this.at = at;
        throw this.expected(`End of string '"' expected`);
      }
    }
  }

  private unescaped(start: number): string {
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string;
    } catch {
      throw new JsonError('A text has an escape that JSON has not', start);
    }
  }

  private wordOrNumber(expectation: string): PythonValue {
    const word = this.match(/-?[A-Za-z]+/y) ?? '';
    const value = WORDS.get(word);
    if (value === undefined) return this.number(expectation);
    this.at += word.length;
    return value;
  }

  private number(expectation: string): PythonValue {
    const digits = this.match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y);
    if (digits === undefined) throw this.expected(expectation);
    const whole = !/[.eE]/.test(digits);
    const count = digits.startsWith('-') ? digits.length - 1 : digits.length;
    if (whole && count > MAX_DIGITS) throw new JsonError(tooManyDigits(count), this.at);
    this.at += digits.length;
    return whole ? BigInt(digits) : Number(digits);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  private skip(character: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private skipSpace(): void {
    while (' \t\n\r'.includes(this.text[this.at] ?? 'end')) this.at++;
  }

  private expected(expectation: string): JsonError {
    const found = this.text[this.at];
    const got = found === undefined ? 'reached end of input' : `got '${found}'`;
    return new JsonError(`${expectation} but ${got}`, this.at);
  }
}
