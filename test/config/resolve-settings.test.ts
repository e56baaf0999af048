import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resolveSettings, type SettingInputs } from '../../src/config/resolve-settings.js';
import { SHIPPED_GRAPHS } from '../../src/config/settings.js';
import { ConfigError } from '../../src/config/config-error.js';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'latentd-config-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

const settle = (inputs: Partial<SettingInputs> = {}) => resolveSettings({ env: {}, cwd, ...inputs });
const config = (value: unknown, name = 'latentd.config.json') => {
  writeFileSync(join(cwd, name), typeof value === 'string' ? value : JSON.stringify(value));
};

test('defaults are folders of the working folder and the shipped templates', async () => {
  const { settings, file, warnings } = await settle();
  expect(settings.models).toEqual({ value: join(cwd, 'models'), source: 'default', from: 'default' });
  expect(settings.output.value).toBe(join(cwd, 'output'));
  expect(settings.graphs.value).toBe(SHIPPED_GRAPHS);
  expect(settings.device.value).toBe('auto');
  expect(settings.threads.value).toBeUndefined();
  expect(file).toBeUndefined();
  expect(warnings).toEqual([]);
});

test('flags win over the environment, that over the file, that over defaults', async () => {
  config({ models: 'm-file', output: 'o-file', input: 'i-file', threads: 3, memoryLimit: '2GB' });
  const { settings, file } = await settle({
    flags: { models: 'm-flag' },
    env: { LATENTD_MODELS: 'm-env', LATENTD_OUTPUT: 'o-env', LATENTD_INPUT: '' },
  });
  const path = join(cwd, 'latentd.config.json');
  expect(file).toBe(path);
  expect(settings.models).toEqual({ value: join(cwd, 'm-flag'), source: 'flag', from: '--models' });
  expect(settings.output).toEqual({
    value: join(cwd, 'o-env'),
    source: 'environment',
    from: 'LATENTD_OUTPUT',
  });
  expect(settings.input).toEqual({ value: join(cwd, 'i-file'), source: 'file', from: path });
  expect(settings.threads.value).toBe(3);
  expect(settings.memoryLimit.value).toBe(2 * 2 ** 30);
});

test('whose noise is drawn can be set anywhere', async () => {
  expect((await settle({})).settings.noise.value).toBe('cpu');
  config({ noise: 'gpu', gpuThreads: 16_384 });
  const { noise, gpuThreads } = (await settle({ env: { LATENTD_GPU_THREADS: '69632' } })).settings;
  expect([noise.value, gpuThreads.value]).toEqual(['gpu', 69_632]);
  await expect(settle({ flags: { noise: 'cuda' } })).rejects.toThrow(
    '--noise must be one of cpu, cpu-0.3.64, gpu',
  );
  await expect(settle({ flags: { gpuThreads: '64' } })).rejects.toThrow(
    '--gpu-threads must be a whole number from 256 to',
  );
});

test('the precision of denoisers can be set anywhere', async () => {
  expect((await settle({})).settings.precision.value).toBe('fp32');
  config({ precision: 'bf16' });
  expect((await settle({})).settings.precision.value).toBe('bf16');
  expect((await settle({ env: { LATENTD_PRECISION: 'fp32' } })).settings.precision.value).toBe('fp32');
  await expect(settle({ flags: { precision: 'fp16' } })).rejects.toThrow(
    '--precision must be one of fp32, bf16',
  );
});

test('paths in a config file count from that file', async () => {
  mkdirSync(join(cwd, 'etc'));
  config({ models: '../m', extraModelPaths: ['a.yaml', '/b.yaml'] }, 'etc/other.json');
  const { settings } = await settle({ config: 'etc/other.json' });
  expect(settings.models.value).toBe(join(cwd, 'm'));
  expect(settings.extraModelPaths.value).toEqual([join(cwd, 'etc/a.yaml'), '/b.yaml']);
  expect((await settle({ env: { LATENTD_CONFIG: 'etc/other.json' } })).settings.models.source).toBe('file');
});

test('extra_model_paths.yaml is found beside the models folder and in the working folder', async () => {
  mkdirSync(join(cwd, 'comfy'));
  writeFileSync(join(cwd, 'comfy/extra_model_paths.yaml'), '');
  writeFileSync(join(cwd, 'extra_model_paths.yaml'), '');
  const { settings } = await settle({ flags: { models: 'comfy/models' } });
  expect(settings.extraModelPaths.value).toEqual([
    join(cwd, 'comfy/extra_model_paths.yaml'),
    join(cwd, 'extra_model_paths.yaml'),
  ]);
  expect((await settle()).settings.extraModelPaths.value).toEqual([join(cwd, 'extra_model_paths.yaml')]);
});

test('templates of the working folder come before the shipped ones', async () => {
  mkdirSync(join(cwd, 'graphs'));
  expect((await settle()).settings.graphs.value).toBe(join(cwd, 'graphs'));
});

test('a config file may begin with a byte order mark', async () => {
  config('\uFEFF{"threads": 3}');
  expect((await settle()).settings.threads.value).toBe(3);
});

test('an unknown variable is pointed out with its nearest name', async () => {
  const { warnings } = await settle({ env: { LATENTD_MODEL: 'x' } });
  expect(warnings).toEqual(['LATENTD_MODEL is set, but there is no such setting; nearest: LATENTD_MODELS']);
});

describe('faults', () => {
  test.each([
    [
      { flags: { device: 'gpu' } },
      '--device must be one of auto, cpu, cuda, webgpu, not "gpu"; nearest: "cpu"',
    ],
    [{ env: { LATENTD_THREADS: '0' } }, 'LATENTD_THREADS must be a whole number from 1 to 1024, not "0"'],
    [
      { env: { LATENTD_MEMORY_LIMIT: 'lots' } },
      'LATENTD_MEMORY_LIMIT must be a size like 6GB or 512MB, not "lots"',
    ],
    [{ flags: { models: '' } }, '--models is empty; it must be a path'],
    [{ config: 'nowhere.json' }, "isn't there"],
  ] satisfies [Partial<SettingInputs>, string][])('%j', async (inputs, message) => {
    await expect(settle(inputs)).rejects.toThrow(message);
    await expect(settle(inputs)).rejects.toBeInstanceOf(ConfigError);
  });

  test.each([
    ['{', 'is no valid JSON'],
    [{ modles: 'x' }, 'unknown key "modles"; nearest: "models"'],
    [{ device: 'tpu' }, 'device must be one of auto, cpu, cuda, webgpu, not "tpu"'],
    [{ device: 'cpu,auto' }, 'device: auto stands alone'],
    [{ threads: 1.5 }, 'threads: Invalid input: expected int'],
    [[], 'the file: Invalid input: expected object'],
    [{ memoryLimit: 'much' }, 'memoryLimit must be a size like 6GB or 512MB'],
  ])('the config file %j', async (value, message) => {
    config(value);
    await expect(settle()).rejects.toThrow(message);
    await expect(settle()).rejects.toThrow(join(cwd, 'latentd.config.json'));
  });
});
