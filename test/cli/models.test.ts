import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readManifest, writeSyntheticCheckpoint } from '../support/synthetic.js';
import { buildCli, latentd, ROOT } from './latentd.js';

let cwd: string;

beforeAll(() => {
  buildCli();
  cwd = mkdtempSync(join(tmpdir(), 'latentd-models-'));
  mkdirSync(join(cwd, 'models/checkpoints'), { recursive: true });
  mkdirSync(join(cwd, 'models/loras'));
  const manifest = readManifest(join(ROOT, 'test/fixtures/golden/manifests/sdxl-tiny.json'));
  writeSyntheticCheckpoint(manifest, join(cwd, 'models/checkpoints/tiny.safetensors'));
  writeFileSync(join(cwd, 'models/checkpoints/half.safetensors'), 'no model');
  writeFileSync(join(cwd, 'models/checkpoints/notes.txt'), '');
  const lora = { 'lora_unet_x.alpha': ['F32', []] } as const;
  writeSyntheticCheckpoint(
    { 'lora_unet_x.alpha': [...lora['lora_unet_x.alpha']] },
    join(cwd, 'models/loras/a.safetensors'),
  );
});
afterAll(() => {
  rmSync(cwd, { recursive: true });
});

test('lists what workflows can name, and what is wrong with a file', async () => {
  const { code, stdout, stderr } = await latentd(['models'], { cwd });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^checkpoints {2}half\.safetensors {2}8 B +unusable: is not a safetensors file/);
  expect(lines[1]).toBe('checkpoints  tiny.safetensors  62.8 MB  F16  sdxl');
  expect(lines[2]).toMatch(/^loras {8}a\.safetensors +\d+ B +F32$/);
});

test('prints one JSON object', async () => {
  const { stdout } = await latentd(['models', 'checkpoints', '--json'], { cwd });
  const { folder, models } = JSON.parse(stdout) as { folder: string; models: object[] };
  expect(folder).toBe(join(cwd, 'models'));
  expect(models).toHaveLength(2);
  expect(models[1]).toEqual({
    kind: 'checkpoints',
    name: 'tiny.safetensors',
    path: join(cwd, 'models/checkpoints/tiny.safetensors'),
    size: 65827088,
    dtype: 'F16',
    parameters: 32847833,
    family: 'sdxl',
  });
});

test('says where models would belong', async () => {
  const { code, stdout, stderr } = await latentd(['models', 'vae'], { cwd });
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toBe(
    `no vae in ${join(cwd, 'models')}: put .safetensors files into its subfolders, or fetch some with latentd pull\n`,
  );
});

test('a reader that goes away is no fault', async () => {
  const { code, stderr } = await latentd(['models'], { cwd, closeOutput: true });
  expect([code, stderr]).toEqual([0, '']);
});

test.each([
  [['models', 'lora'], "command-argument value 'lora' is invalid"],
  [['models', '--modles', 'x'], "unknown option '--modles'\n(Did you mean --models?)"],
  [['modles'], "unknown command 'modles'"],
  [['models', '--config', 'nowhere.json'], "isn't there"],
])('%j is bad usage', async (args, message) => {
  const { code, stdout, stderr } = await latentd(args, { cwd });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});

test('an extra_model_paths.yaml that is none is bad usage', async () => {
  writeFileSync(join(cwd, 'bad.yaml'), 'x: 3');
  const { code, stderr } = await latentd(['models', '--extra-model-paths', 'bad.yaml'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain('bad.yaml: x must be a mapping');
});
