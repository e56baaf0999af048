/** The TypeScript of README, docs and doc comments compiles as a user would compile it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Example {
  /** A path that is nowhere, beside the file that the example is from. */
  readonly file: string;
  readonly code: string;
}

function* pages(): Generator<string> {
  yield 'README.md';
  yield 'CONTRIBUTING.md';
  for (const name of readdirSync(join(ROOT, 'docs'))) if (name.endsWith('.md')) yield join('docs', name);
}

/**
 * Blocks marked as `ts`. A comment in front of one, `<!-- given: declare const image: Tensor; -->`, declares what the example takes as
 * given; its readers don't see it.
 */
function* fromPages(): Generator<Example> {
  for (const page of pages()) {
    const text = readFileSync(join(ROOT, page), 'utf8');
    let count = 0;
    for (const [, given = '', code = ''] of text.matchAll(
      /(?:<!-- given: ([^]*?) -->\s*)?^```ts\n([^]*?)^```/gm,
    )) {
      yield { file: `${page}.${(count += 1)}.ts`, code: `${given}\n${code}` };
    }
  }
}

/** What stands after `@example` in doc comments, up to the next tag or the comment's end. */
function* fromComments(): Generator<Example> {
  for (const name of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(join(ROOT, 'src', name), 'utf8');
    let count = 0;
    for (const [, lines = ''] of text.matchAll(/^ *\* @example\n([^]*?)(?=^ *\*\/|^ *\* @)/gm)) {
      const code = lines.replaceAll(/^ *\* ?/gm, '');
      yield { file: join('src', `${name}.example.${(count += 1)}.ts`), code };
    }
  }
}

const examples = [...fromPages(), ...fromComments()];

test('there are examples in README, docs and comments', () => {
  const from = (start: string) => examples.some(({ file }) => file.startsWith(start));
  expect([from('README.md'), from('docs/library.md'), from('src/')]).toEqual([true, true, true]);
});

test('every example compiles', () => {
  const sources = new Map(
    examples.map(({ file, code }) => [join(ROOT, file), `${code}\nexport {};\n`] as const),
  );
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => readFileSync(path, 'utf8'));
  const { compilerOptions } = config.config as { compilerOptions: object };
  const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, ROOT);
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string }>;
  };
  const entries = Object.entries(manifest.exports).map(
    ([name, { types }]) =>
      [
        join('latentd', name).replace(/\/$/, ''),
        [join(ROOT, types.replace('./dist/', 'src/').replace('.d.ts', '.ts'))],
      ] satisfies [string, string[]],
  );
  const settings: ts.CompilerOptions = {
    ...options,
    paths: Object.fromEntries(entries),
    noUnusedLocals: false,
    noEmit: true,
  };
  const disk = ts.createCompilerHost(settings);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => sources.has(path) || disk.fileExists(path),
    readFile: (path) => sources.get(path) ?? disk.readFile(path),
    getSourceFile: (path, target, ...rest) => {
      const text = sources.get(path);
      if (text === undefined) return disk.getSourceFile(path, target, ...rest);
      return ts.createSourceFile(path, text, target);
    },
  };
  const program = ts.createProgram([...sources.keys()], settings, host);
  const faults = [...sources.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start, file }) => {
        const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
        return `${path.slice(ROOT.length)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      },
    );
  });
  expect(faults).toEqual([]);
});
