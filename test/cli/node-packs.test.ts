import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { transpileModule, ModuleKind, ScriptTarget } from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildCli, latentd, ROOT } from './latentd.js';

let folder: string;

/** The sample pack, built, and installed beside a project as its users have it. */
beforeAll(async () => {
  buildCli();
  folder = mkdtempSync(join(tmpdir(), 'latentd-node-pack-'));
  const sample = join(ROOT, 'examples', 'node-pack');
  const pack = join(folder, 'node_modules', 'latentd-example-nodes');
  mkdirSync(join(pack, 'dist'), { recursive: true });
  cpSync(join(sample, 'package.json'), join(pack, 'package.json'));
  const { outputText } = transpileModule(readFileSync(join(sample, 'src', 'index.ts'), 'utf8'), {
    compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022, verbatimModuleSyntax: true },
  });
  writeFileSync(join(pack, 'dist', 'index.js'), outputText);
  symlinkSync(ROOT, join(folder, 'node_modules', 'latentd'));
  for (const name of ['input', 'output', 'models', 'temp']) mkdirSync(join(folder, name));
  const picture = (r: number, g: number, b: number) =>
    sharp({ create: { width: 8, height: 8, channels: 3, background: { r, g, b } } }).png();
  await picture(255, 0, 0).toFile(join(folder, 'input', 'red.png'));
  await picture(10, 200, 30).toFile(join(folder, 'input', 'green.png'));
  const node = (class_type: string, inputs: object) => ({ class_type, inputs });
  writeFileSync(
    join(folder, 'workflow.json'),
    JSON.stringify({
      1: node('LoadImage', { image: 'red.png' }),
      2: node('LoadImage', { image: 'green.png' }),
      3: node('ExamplePickPalette', { image: ['1', 0], count: 3 }),
      4: node('ExampleUsePalette', { image: ['2', 0], palette: ['3', 0] }),
      9: node('SaveImage', { images: ['4', 0], filename_prefix: 'painted' }),
    }),
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('runs the nodes of an installed pack', async () => {
  const { code, stderr } = await latentd(['run', 'workflow.json', '--node-pack', 'latentd-example-nodes'], {
    cwd: folder,
  });
  expect([code, stderr.includes('done in')]).toEqual([0, true]);
  const { data } = await sharp(join(folder, 'output', 'painted_00001_.png'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([...data.subarray(0, 3)]).toEqual([255, 0, 0]);
});

it('takes packs from the config file, and knows no class of a pack that is not named', async () => {
  writeFileSync(
    join(folder, 'packs.json'),
    JSON.stringify({ nodePack: ['./node_modules/latentd-example-nodes'] }),
  );
  const configured = await latentd(['run', 'workflow.json', '--config', 'packs.json'], { cwd: folder });
  expect(configured.code).toBe(0);
  const without = await latentd(['run', 'workflow.json'], { cwd: folder });
  expect([without.code, without.stderr.includes("Node 'ExamplePickPalette' not found")]).toEqual([2, true]);
});

it.each([
  ['run', 'workflow.json'],
  ['serve', '--data', 'data'],
])('ends %s with one line that names a broken pack', async (...args) => {
  writeFileSync(join(folder, 'broken.mjs'), 'throw new Error("no such card");');
  const { code, stderr } = await latentd([...args, '--node-pack', './broken.mjs'], { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^latentd: node pack \S*broken\.mjs: \S*broken\.mjs fails to load: no such card\n$/);
});
