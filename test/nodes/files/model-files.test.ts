import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFolders } from '../../../src/models/folders/folders.js';
import { modelFingerprint } from '../../../src/nodes/files/model-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-model-files-'));
  mkdirSync(join(folder, 'loras'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('tells a model file from its replacement under the same name', () => {
  const path = join(folder, 'loras', 'style.safetensors');
  const folders = createFolders({ models: folder, input: folder, output: folder, temp: folder });
  writeFileSync(path, 'first');
  const first = modelFingerprint(folders, 'loras', 'style.safetensors');
  expect(modelFingerprint(folders, 'loras', 'style.safetensors')).toBe(first);
  writeFileSync(path, 'another');
  expect(modelFingerprint(folders, 'loras', 'style.safetensors')).not.toBe(first);
});
