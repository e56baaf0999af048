/** Patterns of Python's `re`, written as JavaScript's with the flag `u`. */
import { codePoints, WHITE_SPACE } from './text.js';

/** A pattern that Python refuses too, or that isn't supported: a condition on a group, flags for a part. */
export class RegexError extends Error {
  override readonly name = 'RegexError';
}

export interface RegexFlags {
  readonly ignoreCase?: boolean;
  readonly multiline?: boolean;
  readonly dotAll?: boolean;
}

/** Escapes that patterns and replacements share. */
export const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

const WORD = '\\p{L}\\p{N}_';
/** Classes, as parts of a class. */
const CLASSES: Readonly<Record<string, string>> = { d: '\\p{Nd}', w: WORD, s: WHITE_SPACE };
const END = '(?![\\s\\S])';

interface Flags {
  ignoreCase: boolean;
  multiline: boolean;
  dotAll: boolean;
  verbose: boolean;
}

/** JavaScript for a part of a pattern, and how many characters it takes at least and at most. */
interface Part {
  readonly source: string;
  readonly min: number;
  readonly max: number;
}

const fixed = (source: string, length: number): Part => ({ source, min: length, max: length });

/** Reads a pattern; `parse` gives JavaScript's and throws `RegexError`. */
export class PatternParser {
  groupCount = 0;
  readonly names = new Map<string, number>();
  readonly flags: Flags;
  private readonly text: readonly string[];
  private readonly widths = new Map<number, Part>();
  private at = 0;
  private atomicGroups = 0;

  constructor(pattern: string, flags: RegexFlags) {
    this.text = codePoints(pattern);
    this.flags = { ignoreCase: false, multiline: false, dotAll: false, verbose: false, ...flags };
  }

  parse(): string {
    this.globalFlags();
    const { source } = this.alternatives();
    if (this.at < this.text.length) throw new RegexError('unbalanced parenthesis');
    return source;
  }

  /** `(?i)` and the like, which Python has at the beginning only. */
  private globalFlags(): void {
    const flags = /^\(\?([aiLmsux]+)\)/.exec(this.text.join(''));
    if (flags === null) return;
    if (/[aL]/.test(flags[1]!)) throw new RegexError(`the flags (?${flags[1]!}) are not supported`);
    this.at = flags[0].length;
    for (const flag of flags[1]!) {
      if (flag === 'i') this.flags.ignoreCase = true;
      else if (flag === 'm') this.flags.multiline = true;
      else if (flag === 's') this.flags.dotAll = true;
      else if (flag === 'x') this.flags.verbose = true;
    }
  }

  private alternatives(): Part {
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    return {
      source: parts.map(({ source }) => source).join('|'),
      min: Math.min(...parts.map(({ min }) => min)),
      max: Math.max(...parts.map(({ max }) => max)),
    };
  }

  private sequence(): Part {
    const parts: Part[] = [];
    for (;;) {
      if (this.flags.verbose) this.skipComments();
      const next = this.text[this.at];
      if (next === undefined || next === '|' || next === ')') break;
      parts.push(this.repeated());
    }
    return {
      source: parts.map(({ source }) => source).join(''),
      min: parts.reduce((sum, { min }) => sum + min, 0),
      max: parts.reduce((sum, { max }) => sum + max, 0),
    };
  }

  private skipComments(): void {
    for (;;) {
      const next = this.text[this.at] ?? '';
      if (next === '#') while (this.at < this.text.length && this.text[this.at] !== '\n') this.at++;
      else if (/^[ \t\n\r\f\v]$/.test(next)) this.at++;
      else return;
    }
  }

  private repeated(): Part {
    if ('*+?'.includes(this.text[this.at]!)) throw new RegexError(`nothing to repeat at position ${this.at}`);
    let part = this.atom();
    for (let first = true; ; first = false) {
      if (this.flags.verbose) this.skipComments();
      const range = this.quantifier();
      if (range === undefined) return part;
      if (!first) throw new RegexError(`multiple repeat at position ${this.at}`);
      const [low, high] = range;
      const mark = low === 0 && high === Infinity ? '*' : `{${low},${high === Infinity ? '' : high}}`;
      const times = (width: number, count: number) => (width === 0 ? 0 : width * count);
      const width = { min: times(part.min, low), max: times(part.max, high) };
      const source = `(?:${part.source})${mark}`;
      if (this.take('?')) part = { source: `${source}?`, ...width };
      else if (this.take('+')) part = { source: this.atomic(source), ...width };
      else part = { source, ...width };
    }
  }

  private quantifier(): readonly [number, number] | undefined {
    if (this.take('*')) return [0, Infinity];
    if (this.take('+')) return [1, Infinity];
    if (this.take('?')) return [0, 1];
    const braces = /^\{(\d*)(,?)(\d*)\}/.exec(this.text.slice(this.at, this.at + 24).join(''));
    if (braces === null || (braces[1] === '' && braces[2] === '')) return undefined;
    this.at += braces[0].length;
    const low = braces[1] === '' ? 0 : Number(braces[1]);
    const high = braces[2] === '' ? low : braces[3] === '' ? Infinity : Number(braces[3]);
    if (high < low) throw new RegexError('min repeat greater than max repeat');
    return [low, high];
  }

  /** What matched isn't tried in another way: a look ahead takes it, and a reference goes over it. */
  private atomic(source: string): string {
    const name = `atomic${this.atomicGroups++}`;
    return `(?=(?<${name}>${source}))\\k<${name}>`;
  }

  private atom(): Part {
    const character = this.text[this.at++]!;
    switch (character) {
      case '.':
        return fixed(this.flags.dotAll ? '[\\s\\S]' : '[^\\n]', 1);
      case '^':
        return fixed(this.flags.multiline ? '(?<![^\\n])' : '(?<![\\s\\S])', 0);
      case '$':
        return fixed(this.flags.multiline ? '(?![^\\n])' : `(?=\\n?${END})`, 0);
      case '(':
        return this.group();
      case '[':
        return fixed(this.characterClass(), 1);
      case '\\':
        return this.escape();
      default:
        return fixed(literal(character), 1);
    }
  }

  private group(): Part {
    if (!this.take('?')) return this.capture();
    if (this.take('P')) {
      if (this.take('<')) return this.capture(this.until('>'));
      if (this.take('=')) return this.reference(this.until(')'));
      throw new RegexError('unknown extension ?P');
    }
    if (this.take('#')) {
      this.until(')');
      return fixed('', 0);
    }
    if (this.take(':')) return this.closed((part) => ({ ...part, source: `(?:${part.source})` }));
    if (this.take('>')) {
      return this.closed((part) => ({ ...part, source: this.atomic(part.source) }));
    }
    if (this.take('=')) return this.closed(({ source }) => fixed(`(?=${source})`, 0));
    if (this.take('!')) return this.closed(({ source }) => fixed(`(?!${source})`, 0));
    if (this.take('<')) {
      const mark = this.take('=') ? '=' : this.take('!') ? '!' : undefined;
      if (mark === undefined) throw new RegexError('unknown extension ?<');
      return this.closed(({ source, min, max }) => {
        if (min !== max) throw new RegexError('look-behind requires fixed-width pattern');
        return fixed(`(?<${mark}${source})`, 0);
      });
    }
    throw new RegexError(`the group (?${this.text[this.at] ?? ''} is not supported`);
  }

  private capture(name?: string): Part {
    if (name !== undefined && !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) {
      throw new RegexError(`bad character in group name ${JSON.stringify(name)}`);
    }
    if (name !== undefined && this.names.has(name)) {
      throw new RegexError(`redefinition of group name ${JSON.stringify(name)}`);
    }
    const number = ++this.groupCount;
    if (name !== undefined) this.names.set(name, number);
    const own = `group${number}`;
    const part = this.closed((inner) => ({ ...inner, source: `(?<${own}>${inner.source})` }));
    this.widths.set(number, part);
    return part;
  }

  private closed(wrap: (part: Part) => Part): Part {
    const part = this.alternatives();
    if (!this.take(')')) throw new RegexError('missing ), unterminated subpattern');
    return wrap(part);
  }

  private reference(name: string): Part {
    const number = /^\d+$/.test(name) ? Number(name) : this.names.get(name);
    const group = number === undefined ? undefined : this.widths.get(number);
    if (group === undefined) throw new RegexError(`there is no group ${JSON.stringify(name)} before`);
    return { ...group, source: `\\k<group${number!}>` };
  }

  private escape(): Part {
    const character = this.text[this.at];
    const boundary = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;
    switch (character) {
      case 'A':
        this.at++;
        return fixed('(?<![\\s\\S])', 0);
      case 'Z':
        this.at++;
        return fixed(END, 0);
      case 'b':
        this.at++;
        return fixed(boundary, 0);
      case 'B':
        this.at++;
        return fixed(`(?!${boundary})`, 0);
      case undefined:
        throw new RegexError('bad escape (end of pattern)');
      default:
    }
    const lower = character.toLowerCase();
    if (CLASSES[lower] !== undefined) {
      this.at++;
      return fixed(`[${lower === character ? '' : '^'}${CLASSES[lower]}]`, 1);
    }
    const octal = /^(?:0[0-7]{0,2}|[0-3][0-7]{2})/.exec(this.text.slice(this.at, this.at + 3).join(''));
    const digits = /^[1-9]\d?/.exec(this.text.slice(this.at, this.at + 2).join(''));
    if (octal === null && digits !== null) {
      this.at += digits[0].length;
      return this.reference(digits[0]);
    }
    return fixed(literal(this.escapedCharacter(octal?.[0])), 1);
  }

  /** After the backslash. */
  private escapedCharacter(octal?: string): string {
    if (octal !== undefined) {
      this.at += octal.length;
      return String.fromCharCode(Number.parseInt(octal, 8));
    }
    const character = this.text[this.at++];
    if (character === undefined) throw new RegexError('bad escape (end of pattern)');
    const length = { x: 2, u: 4, U: 8 }[character];
    if (length !== undefined) {
      const hex = this.text.slice(this.at, this.at + length).join('');
      const code = /^[0-9a-f]+$/i.test(hex) && hex.length === length ? Number.parseInt(hex, 16) : Infinity;
      if (code > 0x10ffff) throw new RegexError(`incomplete escape \\${character}${hex}`);
      this.at += length;
      return String.fromCodePoint(code);
    }
    const simple = SIMPLE_ESCAPES[character];
    if (simple !== undefined) return simple;
    if (/[A-Za-z0-9]/.test(character)) throw new RegexError(`bad escape \\${character}`);
    return character;
  }

  private characterClass(): string {
    const negated = this.take('^');
    let parts = '';
    for (let first = true; ; first = false) {
      if (this.at >= this.text.length) throw new RegexError('unterminated character set');
      if (!first && this.take(']')) break;
      const low = this.classMember();
      const isRange = this.text[this.at] === '-' && ![']', undefined].includes(this.text[this.at + 1]);
      if (!isRange) {
        parts += typeof low === 'string' ? inClass(low) : low.source;
        continue;
      }
      this.at++;
      const high = this.classMember();
      if (typeof low !== 'string' || typeof high !== 'string' || high.codePointAt(0)! < low.codePointAt(0)!) {
        throw new RegexError('bad character range');
      }
      parts += `${inClass(low)}-${inClass(high)}`;
    }
    return `[${negated ? '^' : ''}${parts}]`;
  }

  /** A character, or a class within a class. */
  private classMember(): string | { readonly source: string } {
    const character = this.text[this.at++]!;
    if (character !== '\\') return character;
    const name = this.text[this.at] ?? '';
    const lower = name.toLowerCase();
    if (CLASSES[lower] !== undefined) {
      this.at++;
      return { source: lower === name ? CLASSES[lower] : NEGATED[lower]! };
    }
    const octal = /^[0-7]{1,3}/.exec(this.text.slice(this.at, this.at + 3).join(''));
    return this.escapedCharacter(octal?.[0]);
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private until(end: string): string {
    const close = this.text.indexOf(end, this.at);
    if (close < 0) throw new RegexError(`missing ${end}`);
    const inner = this.text.slice(this.at, close).join('');
    this.at = close + 1;
    return inner;
  }
}

/** What isn't in a class, where classes can't be negated: within another. */
const NEGATED: Readonly<Record<string, string>> = {
  d: '\\P{Nd}',
  w: '\\p{M}\\p{S}\\p{Z}\\p{C}\\p{Pd}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}\\u203f\\u2040\\u2054\\ufe33\\ufe34\\ufe4d-\\ufe4f\\uff3f',
  s: '\\0-\\x08\\x0e-\\x1b!-\\x84\\x86-\\x9f\\xa1-\\u167f\\u1681-\\u1fff\\u200b-\\u2027\\u202a-\\u202e\\u2030-\\u205e\\u2060-\\u2fff\\u3001-\\u{10ffff}',
};

function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function inClass(character: string): string {
  return /[\^$\\.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}
