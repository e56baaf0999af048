import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeFolder } from '../src/make-folder.js';

const home = mkdtempSync(join(tmpdir(), 'latentd-folder-'));
const at = (name: string) => join(home, name);
afterAll(() => {
  rmSync(home, { recursive: true });
});

it('makes what is missing, and nothing where all is there', () => {
  makeFolder(at('a/b/c'));
  makeFolder(at('a/b/c'));
  makeFolder('/');
  expect(existsSync(at('a/b/c'))).toBe(true);
});

it('follows links to folders', () => {
  symlinkSync(home, at('link'));
  makeFolder(at('link/d/e'));
  expect(existsSync(at('d/e'))).toBe(true);
});

// Where Node's own recursive mkdir never returns.
it.each(['/proc/nope', '/proc/nope/deeper/still', '/proc/self/x'])('refuses %s', (path) => {
  expect(() => {
    makeFolder(path);
  }).toThrow(/ENOENT|EACCES|EPERM/);
});

it('says what is no folder', () => {
  writeFileSync(at('file'), '');
  symlinkSync(at('gone'), at('dangling'));
  expect(() => {
    makeFolder(at('file'));
  }).toThrow(`${at('file')} is not a folder`);
  expect(() => {
    makeFolder(at('file/x'));
  }).toThrow(/ENOTDIR/);
  expect(() => {
    makeFolder(at('dangling/x'));
  }).toThrow(/ENOENT/);
});
