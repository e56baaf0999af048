/** What the types of the package's entries name is the package's own: nobody needs the types of what it is made of. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildCli, ROOT } from '../cli/latentd.js';

beforeAll(buildCli);

const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, { types: string }>;
};

/** Everything that a declaration file names, and the files that it reaches. */
function foreignTypes(entry: string): readonly string[] {
  const seen = new Set<string>();
  const foreign: string[] = [];
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
    for (const [, specifier = ''] of text.matchAll(/(?:\bfrom|\bimport\()\s*['"]([^'"]+)['"]/g)) {
      if (specifier.startsWith('.')) visit(resolve(dirname(file), specifier.replace(/\.js$/, '.d.ts')));
      else foreign.push(`${file}: ${specifier}`);
    }
    if (/\bBuffer<|\bNodeJS\./.test(text)) foreign.push(`${file}: Node's globals`);
  };
  visit(entry);
  return foreign;
}

test.each(Object.entries(exports))('the types of %s', (_, { types }) => {
  const entry = join(ROOT, types);
  expect(existsSync(entry)).toBe(true);
  expect(foreignTypes(entry)).toEqual([]);
});
