/**
 * Python's `re`: a pattern is read as Python reads it and written as one of JavaScript's. What is meant otherwise there: `$` before a
 * last line break, `.` and line ends, `\w`, `\d`, `\s` and `\b` of Unicode, `{,n}`, named groups, atomic groups and possessive repeats.
 */
import { PatternParser, RegexError, SIMPLE_ESCAPES, type RegexFlags } from './regex-pattern.js';

export { RegexError, type RegexFlags } from './regex-pattern.js';

/** A match's groups, the whole at 0; undefined for those that took no part. */
export type Groups = readonly (string | undefined)[];

export interface PythonRegex {
  /** `re.finditer`. */
  findAll(text: string): Iterable<{ readonly groups: Groups; readonly index: number }>;
  readonly groupCount: number;
  readonly names: ReadonlyMap<string, number>;
}

/** The last ones, as Python keeps them: nodes use the same pattern again and again, and Unicode's classes take time to build. */
const known = new Map<string, PythonRegex>();
const MOST_KNOWN = 100;

/** `re.compile`. Throws `RegexError`. */
export function compileRegex(pattern: string, flags: RegexFlags = {}): PythonRegex {
  const key = JSON.stringify([flags.ignoreCase, flags.multiline, flags.dotAll, pattern]);
  const compiled = known.get(key) ?? compile(pattern, flags);
  known.delete(key);
  known.set(key, compiled);
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!);
  return compiled;
}

function compile(pattern: string, flags: RegexFlags): PythonRegex {
  const parser = new PatternParser(pattern, flags);
  const source = parser.parse();
  const { ignoreCase } = parser.flags;
  let regex: RegExp;
  try {
    regex = new RegExp(source, `gu${ignoreCase ? 'i' : ''}`);
  } catch (error) {
    throw new RegexError(`can't use the pattern: ${(error as Error).message}`);
  }
  const { groupCount, names } = parser;
  const own = Array.from({ length: groupCount }, (_, index) => `group${index + 1}`);
  return {
    groupCount,
    names,
    *findAll(text) {
      for (const match of text.matchAll(regex)) {
        yield { groups: [match[0], ...own.map((name) => match.groups?.[name])], index: match.index };
      }
    },
  };
}

/** `re.search`: the first match's groups. */
export function search(regex: PythonRegex, text: string): Groups | undefined {
  for (const { groups } of regex.findAll(text)) return groups;
  return undefined;
}

/** `re.findall`: the whole match, the only group, or all groups. */
export function findAll(regex: PythonRegex, text: string): readonly (readonly string[])[] {
  return Array.from(regex.findAll(text), ({ groups }) =>
    (regex.groupCount === 0 ? groups : groups.slice(1)).map((group) => group ?? ''),
  );
}

/** `re.sub`; a `count` of 0 is all. Throws `RegexError` for a replacement that names no group. */
export function substitute(regex: PythonRegex, text: string, replacement: string, count = 0): string {
  const fill = replacementOf(replacement, regex);
  let result = '';
  let end = 0;
  let done = 0;
  for (const { groups, index } of regex.findAll(text)) {
    if (count > 0 && done++ === count) break;
    result += text.slice(end, index) + fill(groups);
    end = index + groups[0]!.length;
  }
  return result + text.slice(end);
}

function replacementOf(replacement: string, regex: PythonRegex): (groups: Groups) => string {
  const parts: (string | number)[] = [];
  const escape = /\\(?:g<([^>]*)>|(0[0-7]{0,2}|[0-3][0-7]{2}|[1-9]\d?)|([\s\S])|$)/gu;
  let end = 0;
  for (const match of replacement.matchAll(escape)) {
    parts.push(replacement.slice(end, match.index));
    end = match.index + match[0].length;
    const [, name, digits, character] = match;
    if (name !== undefined) parts.push(groupNamed(name, regex));
    else if (digits !== undefined) {
      const isOctal = digits.startsWith('0') || digits.length === 3;
      parts.push(isOctal ? String.fromCharCode(Number.parseInt(digits, 8)) : groupNamed(digits, regex));
    } else if (character === undefined) throw new RegexError('bad escape (end of pattern)');
    else {
      const simple = SIMPLE_ESCAPES[character];
      if (simple === undefined && /[A-Za-z]/.test(character))
        throw new RegexError(`bad escape \\${character}`);
      parts.push(simple ?? `\\${character}`);
    }
  }
  parts.push(replacement.slice(end));
  return (groups) => parts.map((part) => (typeof part === 'string' ? part : (groups[part] ?? ''))).join('');
}

function groupNamed(name: string, { groupCount, names }: PythonRegex): number {
  const number = /^\d+$/.test(name) ? Number(name) : names.get(name);
  if (number === undefined) throw new RegexError(`unknown group name ${JSON.stringify(name)}`);
  if (number > groupCount) throw new RegexError(`invalid group reference ${number}`);
  return number;
}
