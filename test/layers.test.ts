import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** From the ground up: a folder imports from those before it in the list, never from one beside or after it. */
const LAYERS = [
  ['nearest-names.ts', 'safe-text.ts', 'make-folder.ts'],
  ['native'],
  ['compute'],
  ['imaging', 'config'],
  ['video'],
  ['models'],
  ['sampling'],
  ['nodes'],
  ['workflow'],
  ['engine', 'templates'],
  ['engine-process'],
  ['jobs'],
  ['fronts'],
  ['bench'],
  ['cli', 'index.ts'],
];

const folderOf = (path: string) => path.split('/')[0]!;
const layerOf = (path: string) => LAYERS.findIndex((layer) => layer.includes(folderOf(path)));

function* imports(): Generator<readonly [file: string, imported: string]> {
  for (const entry of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue;
    const text = readFileSync(join(SRC, entry), 'utf8');
    for (const [, specifier] of text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)\.js'/g)) {
      yield [entry, `${relative(SRC, resolve(dirname(join(SRC, entry)), specifier!))}.ts`];
    }
  }
}

/** A source without its comment blocks, in which examples stand. */
const codeOf = (entry: string) => readFileSync(join(SRC, entry), 'utf8').replaceAll(/^ *\*.*$/gm, '');

test('every folder of src has its layer', () => {
  const folders = new Set(readdirSync(SRC).filter((name) => layerOf(name) < 0));
  expect([...folders]).toEqual([]);
});

test('imports never run back', () => {
  const backwards = [...imports()].filter(
    ([file, imported]) => folderOf(file) !== folderOf(imported) && layerOf(imported) >= layerOf(file),
  );
  expect(backwards.map(([file, imported]) => `${file} imports ${imported}`)).toEqual([]);
});

test('fronts do not know one another', () => {
  const frontOf = (path: string) => /^fronts\/([^/]+)\//.exec(path)?.[1];
  const between = [...imports()].filter(([file, imported]) => {
    const [from, to] = [frontOf(file), frontOf(imported)];
    return from !== undefined && to !== undefined && from !== to;
  });
  expect(between).toEqual([]);
});

test('standard output belongs to the command line', () => {
  const talkers = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
    (entry) =>
      entry.endsWith('.ts') &&
      folderOf(entry) !== 'cli' &&
      /\bconsole\.(log|info|table)\b|process\.stdout\b/.test(codeOf(entry)),
  );
  expect(talkers).toEqual([]);
});

test('onnxruntime-node is imported where its telemetry is switched off first', () => {
  const importers = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
    (entry) =>
      entry.endsWith('.ts') &&
      /(?:from|import)\s*\(?\s*'onnxruntime-node'/.test(readFileSync(join(SRC, entry), 'utf8')),
  );
  expect(importers).toEqual(['native/onnxruntime-node.ts']);
});

test('what is shown is made safe to show', () => {
  // Children whose output their parents read, and scripts that quote nothing foreign.
  const children = ['cli/doctor/probe-device.ts', 'bench/cuda/check.ts', 'bench/cuda/measure.ts'];
  const talkers = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((entry) => {
    if (!entry.endsWith('.ts') || children.includes(entry)) return false;
    const text = codeOf(entry);
    return /\bconsole\.\w+\(|process\.std(?:out|err)\.write\(/.test(text) && !text.includes('/safe-text.js');
  });
  expect(talkers).toEqual([]);
});
