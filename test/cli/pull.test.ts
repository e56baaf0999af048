import { randomBytes } from 'node:crypto';
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
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openModelSites, sha256Of, type ModelSites } from '../support/model-sites.js';
import { buildCli, latentd } from './latentd.js';

const BYTES = randomBytes(50_000);
let sites: ModelSites;
let cwd: string;

beforeAll(async () => {
  buildCli();
  sites = await openModelSites();
});
afterAll(() => sites.close());
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'latentd-pull-'));
  sites.files.clear();
  return () => {
    rmSync(cwd, { recursive: true });
  };
});

const pull = (...args: string[]) =>
  latentd(['pull', ...args], {
    cwd,
    env: { HF_ENDPOINT: sites.huggingFace, LATENTD_CIVITAI_ENDPOINT: sites.civitai, HF_TOKEN: '' },
  });

test('puts files where workflows look for them, and prints where they are', async () => {
  sites.files.set('Comfy-Org/Lumina_Image_2.0_Repackaged/split_files/vae/x.safetensors', { bytes: BYTES });
  sites.files.set('1', { bytes: BYTES });
  sites.files.set('2', { bytes: BYTES });
  const { code, stdout, stderr } = await pull(
    'hf:Comfy-Org/Lumina_Image_2.0_Repackaged/split_files/vae/x.safetensors',
    'civitai:1',
  );
  expect(stdout.trimEnd().split('\n')).toEqual([
    join(cwd, 'models/vae/x.safetensors'),
    join(cwd, 'models/loras/pixels-v2.safetensors'),
  ]);
  expect(stderr).toContain('48.8 kB');
  expect(code).toBe(0);
  expect(readFileSync(join(cwd, 'models/vae/x.safetensors')).equals(BYTES)).toBe(true);
});

test("fetches what a workflow names and hasn't: from the table, under the workflow's own name", async () => {
  sites.files.set('stabilityai/stable-diffusion-xl-base-1.0/sd_xl_base_1.0.safetensors', {
    bytes: BYTES,
    sha256: '31e35c80fc4829d14f90153f4c74cd59c90b779f6afe05a74cd6120b893f7e5b',
  });
  sites.files.set('madebyollin/taesd', { bytes: BYTES });
  sites.files.set('stabilityai/sdxl-vae/sdxl_vae.safetensors', { bytes: BYTES });
  mkdirSync(join(cwd, 'models/loras'), { recursive: true });
  writeFileSync(join(cwd, 'models/loras/mine.safetensors'), '');
  const workflow = {
    '1': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'XL/sd_xl_base_1.0.safetensors' } },
    '2': { class_type: 'VAELoader', inputs: { vae_name: 'sdxl_vae.safetensors' } },
    '3': { class_type: 'LoraLoader', inputs: { lora_name: 'mine.safetensors' } },
    '4': { class_type: 'LoraLoader', inputs: { lora_name: 'nobody-knows.safetensors' } },
  };
  writeFileSync(join(cwd, 'wf.json'), JSON.stringify(workflow));

  const dry = await pull('--for', 'wf.json', '--dry-run', '--json');
  expect(existsSync(join(cwd, 'models/checkpoints'))).toBe(false);
  expect(JSON.parse(dry.stdout)).toMatchObject({
    files: [
      { status: 'would be pulled', path: join(cwd, 'models/checkpoints/XL/sd_xl_base_1.0.safetensors') },
      { status: 'would be pulled', path: join(cwd, 'models/vae/sdxl_vae.safetensors') },
    ],
    present: ['mine.safetensors'],
    unknown: ['nobody-knows.safetensors'],
  });

  const { code, stdout, stderr } = await pull('--for', 'wf.json');
  expect(code).toBe(1);
  expect(stdout).toBe(`${join(cwd, 'models/vae/sdxl_vae.safetensors')}\n`);
  expect(stderr).toContain(`came with SHA-256 ${sha256Of(BYTES)} instead of 31e35c80`);
  expect(stderr).toContain('no address is known of nobody-knows.safetensors');
  expect(readdirSync(join(cwd, 'models/checkpoints/XL'))).toEqual([]);
});

test("a workflow's own word counts for no site but those whose files have hashes", async () => {
  const model = { name: 'a.safetensors', url: `${sites.store}/a.safetensors`, directory: '../..' };
  writeFileSync(join(cwd, 'wf.json'), JSON.stringify({ nodes: [{ properties: { models: [model] } }] }));
  const { code, stderr } = await pull('--for', 'wf.json');
  expect(code).toBe(1);
  expect(stderr).toContain('no address is known of a.safetensors');
  expect(existsSync(join(cwd, 'models'))).toBe(false);
});

test('takes names, folders and hashes from the command line', async () => {
  sites.files.set('odd', { bytes: BYTES });
  const unnamed = await pull(`${sites.store}/odd`);
  expect(unnamed.stderr).toContain('says no name; give one by --as');
  const unplaced = await pull(`${sites.store}/odd`, '--as', 'odd.safetensors');
  expect(unplaced.stderr).toContain('nothing says what kind of model odd.safetensors is; give its folder');
  const args = [`${sites.store}/odd`, '--as', 'sub/odd.safetensors', '--folder', 'loras'];
  const wrong = await pull(...args, '--sha256', 'a'.repeat(64));
  expect(wrong.stderr).toContain(`came with SHA-256 ${sha256Of(BYTES)} instead of aaaa`);
  const right = await pull(...args, '--sha256', sha256Of(BYTES));
  expect(right.stdout).toBe(`${join(cwd, 'models/loras/sub/odd.safetensors')}\n`);
  const outside = await pull(`${sites.store}/odd`, '--as', '../../odd', '--folder', 'loras');
  expect(outside.stderr).toContain('it leads out of its folder');
  expect([wrong.code, right.code, outside.code]).toEqual([1, 0, 1]);
});

test.each([
  [[], 'say what to pull: a reference, or --for WORKFLOW'],
  [['hf:a/b/c', '--sha256', 'abc'], '--sha256 must be 64 hexadecimal digits'],
  [
    ['flux1-dev-fp8.safetensors'],
    'there are several flux1-dev-fp8.safetensors; say which by --folder checkpoints or diffusion_models',
  ],
  [['--for', 'nowhere.json'], 'there is no workflow'],
])('%j is no way to use it', async (args, message) => {
  const { code, stderr } = await pull(...args);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});
