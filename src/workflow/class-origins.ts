/** Which pack a node class comes from, for classes that aren't there: a table of facts (data/README.md). */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface Pack {
  /** `owner/name` on GitHub. */
  readonly repository: string;
  readonly title: string;
  readonly classes: readonly string[];
}

interface Table {
  readonly byClass: ReadonlyMap<string, Pack>;
  readonly patterns: readonly (readonly [RegExp, Pack])[];
}

let table: Table | undefined;

/** The best known pack that has a class of this name; undefined for one that nobody knows. */
export function packOf(classType: string): Pack | undefined {
  table ??= readTable();
  const { byClass, patterns } = table;
  // A pattern is searched in what may be any text.
  if (classType.length > 200) return undefined;
  return byClass.get(classType) ?? patterns.find(([pattern]) => pattern.test(classType))?.[1];
}

export const CORE = 'comfyanonymous/ComfyUI';
const MAX_NAMED = 8;

/**
 * `it is of ComfyUI-Impact-Pack (github.com/…), of which latentd has 2 of 190 classes: …`, for an error or a list; undefined
 * where that isn't known. `has` says which classes are there.
 */
export function describeOrigin(classType: string, has: (classType: string) => boolean): string | undefined {
  const pack = packOf(classType);
  if (pack === undefined) return undefined;
  const own = pack.classes.filter(has);
  const named = own.slice(0, MAX_NAMED).join(', ');
  const more = own.length > MAX_NAMED ? `, and ${own.length - MAX_NAMED} more` : '';
  if (pack.repository === CORE) return `it is of ComfyUI itself, and latentd lacks it`;
  const part = own.length === 0 ? 'latentd has none of it' : `of it, latentd has ${named}${more}`;
  return `it is of ${pack.title} (github.com/${pack.repository}); ${part}`;
}

function readTable(): Table {
  const lines = gunzipSync(readFileSync(new URL('../../data/node-packs.jsonl.gz', import.meta.url)))
    .toString('utf8')
    .split('\n');
  const byClass = new Map<string, Pack>();
  const patterns: (readonly [RegExp, Pack])[] = [];
  for (const line of lines) {
    const [repository, title, classes, pattern] = JSON.parse(line) as [string, string, string[], string?];
    const pack = { repository, title, classes };
    for (const name of classes) if (!byClass.has(name)) byClass.set(name, pack);
    const searched = pattern === undefined ? undefined : patternOf(pattern);
    if (searched !== undefined) patterns.push([searched, pack]);
  }
  return { byClass, patterns };
}

/** Python's patterns, which are JavaScript's but for a few. */
function patternOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}
