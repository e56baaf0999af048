import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildCli, ROOT } from '../latentd.js';

beforeAll(buildCli);

const DIST = join(ROOT, 'dist');

/** Every file of ours and every package that a built file imports before it runs. */
function importsOf(entry: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(entry)) return found;
  found.add(entry);
  const text = readFileSync(join(DIST, entry), 'utf8');
  for (const [, specifier = ''] of text.matchAll(
    /^(?:(?:import|export) [^;'"]*from |import )['"]([^'"]+)['"];/gm,
  )) {
    const file = join(DIST, dirname(entry), specifier);
    if (specifier.startsWith('.') && existsSync(file)) importsOf(relative(DIST, file), found);
    else found.add(specifier);
  }
  return found;
}

test.each(['cli/main.js', 'cli/serve/serve.js', 'jobs/journal-worker.js'])(
  '%s imports no node, no model code that runs, and no library of inference or pictures',
  (entry) => {
    const imported = [...importsOf(entry)];
    expect(imported.length).toBeGreaterThan(3);
    expect(imported.filter((name) => /^(nodes|sampling|compute|engine|imaging)\//.test(name))).toEqual([]);
    expect(imported.filter((name) => /onnxruntime|sharp/.test(name))).toEqual([]);
  },
);

test('the journal is a thread that knows the database alone', () => {
  expect([...importsOf('jobs/journal-worker.js')].toSorted()).toEqual([
    'better-sqlite3',
    'jobs/journal-database.js',
    'jobs/journal-deliveries.js',
    'jobs/journal-health.js',
    'jobs/journal-rows.js',
    'jobs/journal-schema.js',
    'jobs/journal-summaries.js',
    'jobs/journal-worker.js',
    'node:fs',
    'node:worker_threads',
  ]);
});
