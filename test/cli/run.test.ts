import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCli, latentd } from './latentd.js';

interface RunJson {
  readonly status: string;
  readonly outputs: Readonly<Record<string, { readonly images?: readonly string[] }>>;
  readonly timings: readonly { readonly node: string; readonly class_type: string; readonly ms: number }[];
  readonly error?: { readonly type: string; readonly message: string; readonly node_errors?: object };
}

const image = (overrides: object = {}) => ({
  class_type: 'EmptyImage',
  inputs: { width: 16, height: 8, batch_size: 2, color: 0xff8000, ...overrides },
});
const save = (from: string) => ({
  class_type: 'SaveImage',
  _meta: { title: 'Save it' },
  inputs: { images: [from, 0], filename_prefix: 'sub/plain' },
});
const plain = { 1: image(), 2: save('1') };

let cwd: string;
const write = (workflow: unknown): string => {
  const file = join(cwd, 'workflow.json');
  writeFileSync(file, typeof workflow === 'string' ? workflow : JSON.stringify(workflow));
  return file;
};
const output = (name: string) => join(cwd, 'output/sub', name);

beforeAll(buildCli);
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'latentd-run-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

describe('a workflow that works', () => {
  test('prints the paths of what it saved, one a line, and nothing else', async () => {
    const { code, stdout, stderr } = await latentd(['run', write(plain)], { cwd });
    expect(stdout).toBe(`${output('plain_00001_.png')}\n${output('plain_00002_.png')}\n`);
    expect(stderr).toMatch(/^done in \d+\.\d s\n$/);
    expect(code).toBe(0);
    expect(readFileSync(output('plain_00001_.png')).subarray(1, 4).toString()).toBe('PNG');
  });

  test('with --json prints one object', async () => {
    const { code, stdout } = await latentd(['run', write(plain), '--json'], { cwd });
    const { status, outputs, timings, ...rest } = JSON.parse(stdout) as RunJson;
    expect([code, status, rest]).toEqual([0, 'success', {}]);
    expect(outputs).toEqual({ 2: { images: [output('plain_00001_.png'), output('plain_00002_.png')] } });
    expect(timings.map(({ node, class_type }) => [node, class_type])).toEqual([
      ['1', 'EmptyImage'],
      ['2', 'SaveImage'],
    ]);
    expect(timings.every(({ ms }) => ms > 0)).toBe(true);
  });

  test('comes from standard input as well, and goes where it is told to', async () => {
    const { code, stdout } = await latentd(['run', '-', '--output', 'elsewhere'], {
      cwd,
      input: JSON.stringify({ prompt: plain }),
      env: { LATENTD_OUTPUT: 'nowhere' },
    });
    expect([code, stdout.split('\n')[0]]).toEqual([0, join(cwd, 'elsewhere/sub/plain_00001_.png')]);
  });

  test('is changed by --set, and the picture says so', async () => {
    const args = ['run', write(plain), '--set', '1.batch_size=1', '--set', 'Save it.filename_prefix=sub/set'];
    const { code, stdout } = await latentd(args, { cwd });
    expect([code, stdout]).toEqual([0, `${output('set_00001_.png')}\n`]);
    expect(readFileSync(output('set_00001_.png')).toString('latin1')).toContain('"batch_size": 1');
  });

  test('is none the worse for a reader that goes away', async () => {
    const { code } = await latentd(['run', write(plain)], { cwd, closeOutput: true });
    expect(code).toBe(0);
    expect(existsSync(output('plain_00002_.png'))).toBe(true);
  });
});

describe("the editor's format", () => {
  const editor = {
    nodes: [
      {
        id: 1,
        type: 'EmptyImage',
        outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
        widgets_values: [8, 8, 1, 255],
      },
      {
        id: 2,
        type: 'SaveImage',
        inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
        widgets_values: ['edited'],
      },
    ],
    links: [[1, 1, 0, 2, 0, 'IMAGE']],
    version: 0.4,
  };

  test('runs, and so does the picture that it makes, and `convert` writes what ran', async () => {
    expect((await latentd(['run', write(editor)], { cwd })).code).toBe(0);
    expect((await latentd(['run', join(cwd, 'output', 'edited_00001_.png')], { cwd })).code).toBe(0);
    const files = ['edited_00001_.png', 'edited_00002_.png'].map((name) => join(cwd, 'output', name));
    const both = await Promise.all(files.map((file) => latentd(['convert', file], { cwd })));
    const [first, second] = both.map(({ stdout }) => JSON.parse(stdout) as unknown);
    expect(first).toEqual(second);
    expect(first).toMatchObject({
      1: { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 255 } },
      2: { class_type: 'SaveImage', inputs: { filename_prefix: 'edited', images: ['1', 0] } },
    });
  });
});

describe('an invalid workflow runs nothing and exits with 2', () => {
  test.each([
    ['no JSON', '{"1": ', 'invalid_json', 'line 1, column'],
    [
      "an unknown class in the editor's format",
      { nodes: [{ id: 4, type: 'RegionalSampler', widgets_values: ['x'] }], links: [], version: 0.4 },
      'missing_node_type',
      'it is of ComfyUI Impact Pack (github.com/ltdrdata/ComfyUI-Impact-Pack)',
    ],
    [
      'an unknown class',
      { 1: { class_type: 'SaveImag', inputs: {} } },
      'missing_node_type',
      'nearest: "SaveImage"',
    ],
    [
      'a cycle',
      {
        1: { class_type: 'ImageInvert', inputs: { image: ['2', 0] } },
        2: { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
        3: save('2'),
      },
      'prompt_outputs_failed_validation',
      'Dependency cycle detected',
    ],
    ['no output', { 1: image() }, 'prompt_no_outputs', 'Prompt has no outputs'],
    [
      'a value out of bounds',
      { 1: image({ width: 0 }), 2: save('1') },
      'prompt_outputs_failed_validation',
      'node 1 (EmptyImage): Value 0 smaller than min of 1: width',
    ],
    [
      'a missing model',
      {
        1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'none.safetensors' } },
        2: { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['1', 2] } },
        3: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
        4: save('2'),
      },
      'prompt_outputs_failed_validation',
      'none.safetensors',
    ],
  ])('%s', async (_, workflow, type, message) => {
    const file = write(workflow);
    const { code, stdout, stderr } = await latentd(['run', file], { cwd });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    const json = await latentd(['run', file, '--json'], { cwd });
    const parsed = JSON.parse(json.stdout) as RunJson;
    expect([json.code, parsed.status, parsed.outputs, parsed.error?.type]).toEqual([2, 'invalid', {}, type]);
    expect(parsed.error).toHaveProperty('node_errors');
    expect(readdirSync(cwd)).toEqual(['workflow.json']);
  });
});

describe('bad usage exits with 2', () => {
  test.each([
    [['nowhere.json'], 'there is no workflow'],
    [['workflow.json', '--device', 'webgpu'], '--device: latentd has no webgpu backend yet'],
    [['workflow.json', '--device', 'gpu'], '--device must be one of auto, cpu, cuda, webgpu'],
    [['workflow.json', '--set', '1.size=3'], 'has no input "size"; it has width'],
    [['workflow.json', '--seed', '3'], 'no node of this workflow has a seed'],
    [['workflow.json', '--prompt', 'x'], 'has no {{PROMPT}}'],
    [['workflow.json', '--checkpoint', 'x'], 'this one has no node'],
    [['workflow.json', '--output', 'workflow.json/x'], 'workflow.json is not a folder'],
    [['workflow.json', '--output', '/proc/nope/x'], "/proc can't be written to"],
    [['workflow.json', '--threads', 'many'], '--threads must be a whole number'],
  ])('run %j', async (args, message) => {
    write(plain);
    const { code, stdout, stderr } = await latentd(['run', ...args], { cwd });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    const json = await latentd(['run', ...args, '--json'], { cwd });
    expect(JSON.parse(json.stdout)).toMatchObject({
      status: 'invalid',
      outputs: {},
      timings: [],
      error: { type: 'usage' },
    });
  });

  test('an unknown flag too', async () => {
    const { code, stdout, stderr } = await latentd(['run', write(plain), '--modles', 'x'], { cwd });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--modles');
    const json = await latentd(['run', write(plain), '--json', '--modles', 'x'], { cwd });
    expect([json.code, (JSON.parse(json.stdout) as RunJson).status]).toEqual([2, 'invalid']);
  });
});

test('a damaged model ends the run with 1, saying which file and what is wrong', async () => {
  mkdirSync(join(cwd, 'models/vae'), { recursive: true });
  writeFileSync(join(cwd, 'models/vae/half.safetensors'), Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 123]));
  const workflow = {
    1: { class_type: 'VAELoader', inputs: { vae_name: 'half.safetensors' } },
    2: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
    3: { class_type: 'VAEDecode', inputs: { samples: ['2', 0], vae: ['1', 0] } },
    4: save('3'),
  };
  const { code, stderr } = await latentd(['run', write(workflow)], { cwd });
  expect(code).toBe(1);
  expect(stderr).toContain('latentd: node 1 (VAELoader) failed');
  expect(stderr).toContain(join(cwd, 'models/vae/half.safetensors'));
  expect(stderr).toContain('truncated in its header: 199 bytes');
  const json = await latentd(['run', write(workflow), '--json'], { cwd });
  expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
    1,
    { status: 'error', outputs: {}, error: { type: 'ModelError', node_id: '1', node_type: 'VAELoader' } },
  ]);
  expect(existsSync(join(cwd, 'output'))).toBe(false);
});
