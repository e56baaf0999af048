import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readExtraModelPaths } from '../../../src/models/folders/extra-model-paths.js';
import { fixture } from '../../support/golden.js';

interface Case {
  readonly text: string;
  /** Kind, folder, is default; null where ComfyUI fails. */
  readonly added: readonly (readonly [string, string, boolean])[] | null;
}

const cases = JSON.parse(readFileSync(fixture('models/extra-model-paths.json'), 'utf8')) as Case[];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-yaml-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test.each(cases)('as ComfyUI reads it: $text', ({ text, added }) => {
  const file = join(folder, 'extra_model_paths.yaml');
  writeFileSync(file, text);
  if (added === null) {
    expect(() => readExtraModelPaths(file)).toThrow(file);
    return;
  }
  const found = readExtraModelPaths(file).map(({ kind, path, isDefault }) => {
    const near = relative(folder, path);
    return [kind, near.startsWith('..') || isAbsolute(near) ? path : near, isDefault];
  });
  expect(found).toEqual(added);
});
