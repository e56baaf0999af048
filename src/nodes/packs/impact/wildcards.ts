/** Texts with choices, `{a|b}` and `__words__`, chosen by a seed as ComfyUI-Impact-Pack chooses them (modules/impact/wildcards.py). */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { compileRegex, NumpyGenerator, substitute, type RunContext } from '../../public.js';

type Folders = RunContext['folders'];

/** Lists of words by their names: of a file, its path below `wildcards`; of YAML, the keys that lead to them. */
export type Wildcards = ReadonlyMap<string, readonly string[]>;

/** Changes when a file of words does. */
export function wildcardsFingerprint(folders: Folders): string {
  return folders
    .list('wildcards')
    .map((name) => `${name}#${statSync(folders.resolve('wildcards', name)).mtimeMs}`)
    .join();
}

/** All that lies in the folder `wildcards`. Throws `RangeError` naming a file that isn't YAML. */
export function readWildcards(folders: Folders): Wildcards {
  const found = new Map<string, readonly string[]>();
  for (const name of folders.list('wildcards')) {
    const text = decoded(readFileSync(folders.resolve('wildcards', name)));
    if (name.endsWith('.txt')) {
      const words = linesOf(text).filter((line) => !line.trim().startsWith('#'));
      found.set(normalized(name.slice(0, -'.txt'.length)), words);
      continue;
    }
    addYaml(found, '', yamlOf(text, name));
  }
  return found;
}

/** UTF-8, or Latin-1 where it isn't that. */
function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}

/** Python's `splitlines`. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|[\n\r\v\f\u2028\u2029]/u);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function yamlOf(text: string, name: string): unknown {
  try {
    return parse(text, { version: '1.1' });
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('\n');
    throw new RangeError(`the wildcards in ${basename(name)} are no YAML: ${reason}`, { cause: error });
  }
}

function addYaml(found: Map<string, readonly string[]>, name: string, value: unknown): void {
  if (Array.isArray(value)) found.set(name, value.map(String));
  else if (typeof value === 'string') found.set(name, [value]);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      addYaml(found, normalized(name === '' ? key : `${name}/${key}`), each);
    }
  }
}

function normalized(name: string): string {
  return name.replaceAll('\\', '/').replaceAll(' ', '-').toLowerCase();
}

/** Words within words are followed this far. */
const DEPTH = 99;
/** A text that choices make longer than this is no prompt. */
const LONGEST = 1_000_000;

const WORDS = compileRegex(String.raw`__([\w.\-+/*\\]+?)__`);
const REPEATED = compileRegex(String.raw`(?P<quantifier>\d+)#__(?P<keyword>[\w.\-+/*\\]+?)__`, {
  ignoreCase: true,
});

/** A text with all of its choices made. Throws `RangeError` for choices that can't be. */
export function populate(text: string, seed: bigint, wildcards: Wildcards): string {
  const random = new NumpyGenerator(seed);
  let current = withoutComments(text);
  for (let turn = 0; turn < DEPTH; turn++) {
    let chosen = repeated(current);
    while (OPTIONS.test(chosen)) chosen = optionsChosen(chosen, random, wildcards);
    const { text: replaced, isReplaced } = wordsChosen(chosen, random, wildcards);
    current = replaced;
    if (current.length > LONGEST) throw new RangeError('the choices of this text make it endlessly long');
    if (!isReplaced) break;
  }
  return current;
}

/** Lines that begin with `#` are left out; a line after them goes on with the one before, the second with the first. */
function withoutComments(text: string): string {
  const kept: string[] = [];
  let isAfterComment = false;
  for (const line of text.split('\n')) {
    if (line.trimStart().startsWith('#')) isAfterComment = true;
    else if (isAfterComment && kept.length > 0) {
      kept.push(`${kept.pop()!} ${line}`);
      isAfterComment = false;
    } else kept.push(line);
  }
  return kept.join('\n');
}

/** `3#__words__` as `__words__|__words__|__words__`, in small letters. */
function repeated(text: string): string {
  let result = text;
  for (const { groups } of REPEATED.findAll(text)) {
    const keyword = groups[2]!.toLowerCase();
    const times = Math.min(Number(groups[1]), LONGEST / keyword.length);
    const many = Array.from({ length: Math.max(times, 1) }, () => keyword).join('__|__');
    const pattern = `(?P<quantifier>\\d+)#__(?P<keyword>${keyword.replaceAll('*', '\\*')})__`;
    const whole = times < 1 ? '' : many;
    result = substitute(compileRegex(pattern, { ignoreCase: true }), result, `__${whole}__`);
  }
  return result;
}

const OPTIONS = /\{[^{}]*\}/u;

/** Every innermost `{a|b}` replaced. */
function optionsChosen(text: string, random: NumpyGenerator, wildcards: Wildcards): string {
  return text.replaceAll(/\{([^{}]*)\}/gu, (_, inner: string) => chosenOf(inner, random, wildcards));
}

interface Choice {
  readonly options: readonly string[];
  readonly separator: string;
  /** How many are taken, from and to; one when left out. */
  readonly range?: readonly [number, number];
}

function chosenOf(inner: string, random: NumpyGenerator, wildcards: Wildcards): string {
  const { options, separator, range } = choiceOf(inner, wildcards);
  const weights = options.map(weightOf);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (options.length > 0 && !(total > 0)) {
    throw new RangeError(`the weights of {${inner.slice(0, 100)}} add up to ${total}`);
  }
  const shares = weights.map((weight) => weight / total);
  const count = range === undefined ? 1 : random.integers(range[0], range[1] + 1);
  let chosen: string[];
  if (count > options.length) {
    chosen = [...options];
    random.shuffle(chosen);
  } else chosen = random.weightedChoices(options, shares, count);
  return chosen.map((option) => option.replace(/^\s*[0-9.]+::/u, '')).join(separator);
}

/** `2-3$$, $$a|b|c`: how many, what stands between them, and the options. */
function choiceOf(inner: string, wildcards: Wildcards): Choice {
  const options = inner.split('|');
  const [first = ''] = options;
  const parts = first.split('$$');
  if (parts.length === 1) return { options, separator: ' ' };
  const bounds = /^(\d+)(?:-(\d+))?/u.exec(first);
  const upTo = bounds === null ? /^-(\d+)/u.exec(first) : null;
  if (bounds === null && upTo === null) {
    throw new RangeError(`{${inner.slice(0, 100)}} needs a number before $$, as {2$$a|b|c} has`);
  }
  const from = Number(bounds?.[1] ?? 1);
  const range = [from, Number(bounds === null ? upTo![1] : (bounds[2] ?? from))] as const;
  if (parts.length === 2) {
    const words = parts[1]!;
    const isOneList = options.length === 1 && [...WORDS.findAll(words)].length > 0;
    const chosen = isOneList ? optionsIn(words, wildcards) : [words, ...options.slice(1)];
    return { options: chosen, separator: ' ', range };
  }
  if (parts.length === 3) {
    return { options: [parts[2]!, ...options.slice(1)], separator: parts[1]!, range };
  }
  return { options, separator: ' ', range };
}

const NUMBER = /^-?(?:\d*\.?\d+|\d+\.?\d*)\n?$/u;

/** Of `0.5::text`. */
function weightOf(option: string): number {
  const at = option.indexOf('::');
  const written = option.slice(0, at).trim();
  return at !== -1 && NUMBER.test(written) ? Number(written) : 1;
}

/** All words of the lists that a text names. */
function optionsIn(text: string, wildcards: Wildcards): string[] {
  return [...WORDS.findAll(text)].flatMap(({ groups }) => {
    const name = groups[1]!;
    const words = listNamed(name, wildcards);
    if (words !== undefined) return [...words];
    const keyword = normalized(name);
    if (keyword.includes('*') || keyword.includes('/')) return [];
    return optionsIn(
      text.replace(`__${name}__`, () => `__*/${name}__`),
      wildcards,
    );
  });
}

/** The list of a name, or all that a pattern with `*` fits; undefined where there is none. */
function listNamed(name: string, wildcards: Wildcards): readonly string[] | undefined {
  const keyword = normalized(name);
  const own = wildcards.get(keyword);
  if (own !== undefined || !keyword.includes('*')) return own;
  const pattern = compileRegex(`(?:${keyword.replaceAll('*', '.*').replaceAll('+', '\\+')})`);
  const fits = (text: string) => {
    for (const { index } of pattern.findAll(text)) return index === 0;
    return false;
  };
  const found = [...wildcards].filter(([key]) => fits(key) || fits(`${key}/`));
  return found.length === 0 ? undefined : found.flatMap(([, words]) => words);
}

function wordsChosen(
  text: string,
  random: NumpyGenerator,
  wildcards: Wildcards,
): { readonly text: string; readonly isReplaced: boolean } {
  let result = text;
  let isReplaced = false;
  for (const { groups } of WORDS.findAll(text)) {
    const name = groups[1]!;
    const words = listNamed(name, wildcards);
    if (words !== undefined) {
      const word = random.choice(words);
      isReplaced = true;
      result = result.replace(`__${name}__`, () => word);
    } else if (!normalized(name).includes('*') && !normalized(name).includes('/')) {
      // A name without folders is looked for in all of them.
      const fallback = result.replace(`__${name}__`, () => `__*/${name}__`);
      ({ text: result, isReplaced } = wordsChosen(fallback, random, wildcards));
    }
  }
  return { text: result, isReplaced };
}
