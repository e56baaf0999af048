import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { messageJson } from '../../src/cli/client/connection.js';
import { hasColour } from '../../src/cli/style.js';
import { formatTable } from '../../src/cli/table.js';
import { safeText } from '../../src/safe-text.js';
import { buildCli, ROOT } from './latentd.js';

beforeAll(buildCli);

const evil = '\x1b]0;pwned\x07\x1b[2J\nfake line\u009b31m\u202e';

const isSafe = (text: string) => safeText(text, Infinity) === text;

/** Standard output and error of a script that has imported terminal.ts. */
function outputOf(script: string): readonly [stdout: string, stderr: string] {
  const terminal = pathToFileURL(join(ROOT, 'dist/cli/terminal.js')).href;
  const text = `const t = await import(${JSON.stringify(terminal)}); const evil = ${JSON.stringify(evil)}; ${script}`;
  const both = execFileSync(
    process.execPath,
    [
      '-e',
      'const [, script] = process.argv; const { spawnSync } = require("node:child_process"); const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }); console.log(JSON.stringify([stdout, stderr]))',
      text,
    ],
    { encoding: 'utf8' },
  );
  return JSON.parse(both) as [string, string];
}

test('what is printed obeys nobody: escapes are shown, and a line stays a line', () => {
  const [stdout, stderr] = outputOf(
    't.print(evil); t.report(evil); t.printLines(evil); t.reportLines(evil);',
  );
  const line = String.raw`\x1b]0;pwned\x07\x1b[2J\nfake line\x9b31m\u202e`;
  for (const text of [stdout, stderr]) expect(text).toBe(`${line}\n${line.replace(String.raw`\n`, '\n')}\n`);
});

test('a report is bounded', () => {
  const [, stderr] = outputOf('t.report("x".repeat(1e6)); t.reportLines("y\\n".repeat(1e6));');
  expect(stderr.length).toBeLessThan(70_000);
});

test('standard output is for results: a library that uses the console is heard on standard error', () => {
  const [stdout, stderr] = outputOf(
    't.keepStandardOutput(); console.log("a %s", "warning", evil); console.info("b"); console.debug("c"); console.warn("d"); console.error("e"); t.printJson({ evil });',
  );
  expect(JSON.parse(stdout)).toEqual({ evil });
  expect(isSafe(stdout)).toBe(true);
  expect(stderr).toMatch(/^a warning \\x1b\]0;pwned/);
  expect(stderr.trimEnd().split('\n').slice(-4)).toEqual(['b', 'c', 'd', 'e']);
});

test('tables and messages hold nothing else either', () => {
  const cells = [
    ['a', evil],
    [evil, 'b'],
  ];
  expect(isSafe(formatTable(cells))).toBe(true);
  expect(formatTable([[evil]]).split('\n')).toHaveLength(1);
  const json = messageJson({ job_id: evil, seed: 2n ** 64n - 1n });
  expect(isSafe(json)).toBe(true);
  expect(JSON.parse(json)).toEqual({ job_id: evil, seed: '18446744073709551615' });
});

test('a table is as wide as the terminal: last cells are wrapped at words, under themselves', () => {
  const rows = [
    ['a', 'one', 'words that go on and on and on, until the line is full'],
    ['bb', 'three', 'short'],
  ];
  expect(formatTable(rows, 40).split('\n')).toEqual([
    'a   one    words that go on and on and',
    '           on, until the line is full',
    'bb  three  short',
  ]);
  expect(formatTable(rows, Infinity).split('\n')).toHaveLength(2);
  expect(formatTable([['a', 'x'.repeat(90)]], 40)).toBe(`a  ${'x'.repeat(90)}`);
});

test.each([
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ TERM: 'dumb' }, true, false],
  [{}, false, false],
])('colour under %j, on a terminal: %s', (env, isTTY, expected) => {
  expect(hasColour({ isTTY }, env)).toBe(expected);
});
