// Compiles what runs on a machine with a card, `bench/cuda`, to `build/gpu`, where it runs on the compiled product in `dist`: such a
// machine may have Node alone. `npm run build:gpu` builds both.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');
const target = join(root, 'build/gpu');
const sources = [
  ...readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('bench/cuda', name)),
  'bench/harness/full-questions.ts',
  'bench/harness/full-transformer.ts',
  'test/support/synthetic.ts',
];

const compilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

rmSync(target, { recursive: true, force: true });
for (const source of sources) {
  const { outputText } = ts.transpileModule(readFileSync(join(root, source), 'utf8'), { compilerOptions });
  const folder = join(target, dirname(source));
  mkdirSync(folder, { recursive: true });
  // `dist` is as far below the root as `src`, and these files lie two folders deeper than their sources.
  const code = outputText.replaceAll("'../../src/", "'../../../../dist/");
  writeFileSync(join(folder, basename(source, '.ts') + '.js'), code);
}
copyFileSync(join(root, 'bench/harness/full-layouts.json'), join(target, 'bench/harness/full-layouts.json'));
