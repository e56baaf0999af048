import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** From the ground up: a folder imports from those before it in the list, never from one beside or after it. */
const LAYERS = [
  ['nearest-names.ts', 'safe-text.ts', 'make-folder.ts', 'python-float.ts'],
  ['python'],
  ['native'],
  ['compute'],
  ['imaging', 'config', 'store', 'web'],
  ['video'],
  ['models'],
  ['sampling'],
  ['nodes'],
  ['workflow'],
  ['engine', 'templates'],
  ['engine-process'],
  ['jobs'],
  ['fronts'],
  ['bench', 'client', 'pull'],
  ['cli', 'index.ts'],
];

/** The same within a folder: its files and subfolders, from the ground up. */
const WITHIN: Readonly<Record<string, readonly (readonly string[])[]>> = {
  compute: [
    ['dim.ts', 'tensor.ts', 'weight.ts', 'device-lost.ts', 'device-program.ts', 'unsupported.ts'],
    ['value.ts', 'stored-values.ts'],
    ['epilogue.ts', 'node-builder.ts'],
    // What operations are lowered with; then these, all as one type, and graphs of them.
    ['lowering'],
    ['operations'],
    ['operation.ts'],
    ['graph.ts'],
    // What backends share.
    ['backend.ts', 'cost.ts', 'fusion.ts', 'peak-memory.ts'],
    ['check-inputs.ts', 'with-fallback.ts'],
    ['cuda', 'onnx'],
  ],
  models: [
    ['model-error.ts'],
    // Where files lie, and the weights in them.
    ['folders', 'weights'],
    ['files'],
    // The graphs made of weights, and the programs made of graphs.
    ['programs'],
    // What a model is to others.
    ['denoiser', 'text', 'vae'],
    // Networks and inputs, of which families are made.
    ['transformer'],
    ['clip', 'denoiser-inputs', 'unet'],
    ['vision'],
    ['families'],
    ['lora', 'faces', 'grounding', 'hypernetwork'],
    ['control', 'ip-adapter', 'upscale', 'annotators', 'onnx'],
    ['background', 'detectors', 'poses', 'segment-anything'],
    ['model-store.ts'],
    ['open-models.ts'],
  ],
};

const folderOf = (path: string) => path.split('/')[0]!;
const layerOf = (path: string) => LAYERS.findIndex((layer) => layer.includes(folderOf(path)));

function* imports(): Generator<readonly [file: string, imported: string]> {
  for (const entry of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue;
    const text = codeOf(entry);
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
    // Protocols over HTTP stand on one server, which knows none of them.
    return from !== undefined && to !== undefined && from !== to && to !== 'http';
  });
  expect(between).toEqual([]);
});

describe.each(Object.entries(WITHIN))('within %s', (folder, layers) => {
  const layerWithin = (path: string) => layers.findIndex((layer) => layer.includes(path.split('/')[1]!));

  test('every file and folder has its layer', () => {
    const inTable = new Set(layers.flat());
    const inFolder = new Set(readdirSync(join(SRC, folder)));
    expect([...inFolder].filter((name) => !inTable.has(name))).toEqual([]);
    expect([...inTable].filter((name) => !inFolder.has(name))).toEqual([]);
  });

  test('imports never run back', () => {
    const backwards = [...imports()].filter(([file, imported]) => {
      const [from, to] = [file.split('/'), imported.split('/')];
      if (from[0] !== folder || to[0] !== folder || from[1] === to[1]) return false;
      return layerWithin(imported) >= layerWithin(file);
    });
    expect(backwards.map(([file, imported]) => `${file} imports ${imported}`)).toEqual([]);
  });
});

test('no imports run in a circle, those of types included', () => {
  expect(circleOf([...imports()])).toEqual([]);
});

/** The first circle found, from a file back to itself; empty where there is none. */
function circleOf(pairs: readonly (readonly [file: string, imported: string])[]): string[] {
  const imported = new Map<string, string[]>();
  for (const [file, other] of pairs) imported.set(file, [...(imported.get(file) ?? []), other]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    if (done.has(file)) return [];
    for (const other of imported.get(file) ?? []) {
      const circle = visit(other, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of imported.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

test('no two exported types have one name', () => {
  const places = new Map<string, string[]>();
  for (const entry of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    // The addon's door gives the types behind it their names again.
    if (!entry.endsWith('.ts') || entry === 'native/addon.ts') continue;
    for (const [, name = ''] of codeOf(entry).matchAll(
      /^export (?:interface|type|(?:abstract )?class) (\w+)/gm,
    )) {
      places.set(name, [...(places.get(name) ?? []), entry]);
    }
  }
  expect([...places].filter(([, entries]) => entries.length > 1)).toEqual([]);
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
