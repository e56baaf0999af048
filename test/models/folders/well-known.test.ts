import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { wellKnownModels, type WellKnownModel } from '../../../src/models/folders/well-known.js';

const all = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../data/well-known-models.json', import.meta.url)), 'utf8'),
) as readonly WellKnownModel[];

test('every row can be pulled: a folder, a file name, an address, a hash or none', () => {
  for (const { folder, name, from, size, sha256 } of all) {
    expect(folder).toMatch(/^[a-z_]+$/);
    expect(name).toMatch(/^[\w.+-]+\.(safetensors|sft|ckpt|pt|pth|bin|gguf|onnx)$/);
    expect(from).toMatch(/^(hf:[\w.-]+\/[\w.-]+\/\S+|https:\/\/(github\.com|huggingface\.co)\/\S+)$/);
    if (size !== undefined) expect(Number.isSafeInteger(size) && size > 0).toBe(true);
    if (sha256 !== undefined) expect(sha256).toMatch(/^[\da-f]{64}$/);
  }
  const keys = all.map(({ folder, name }) => `${folder}/${name}`);
  expect(new Set(keys).size).toBe(keys.length);
});

test('finds a file by the name that a workflow has for it', () => {
  const [base] = wellKnownModels('SDXL\\sd_xl_base_1.0.safetensors');
  expect(base).toMatchObject({
    folder: 'checkpoints',
    from: 'hf:stabilityai/stable-diffusion-xl-base-1.0/sd_xl_base_1.0.safetensors',
    size: 6938078334,
  });
  expect(wellKnownModels('nothing-of-the-kind.safetensors')).toEqual([]);
});

test('of two files of one name, takes the one of the kind that is wanted', () => {
  expect(wellKnownModels('flux1-dev-fp8.safetensors')).toHaveLength(2);
  const [checkpoint, ...others] = wellKnownModels('flux1-dev-fp8.safetensors', 'checkpoints');
  expect(checkpoint?.folder).toBe('checkpoints');
  expect(others).toEqual([]);
});
