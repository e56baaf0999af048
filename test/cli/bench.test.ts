import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseReport } from '../../src/bench/report.js';
import { writeSyntheticCheckpoint } from '../support/synthetic.js';
import { fixtureManifest, syntheticCheckpoint, tinyCheckpoint } from '../support/golden.js';
import { buildCli, latentd } from './latentd.js';

let cwd: string;
const file = (name: string) => join(cwd, name);
const quick = ['--width', '64', '--height', '64', '--steps', '2', '--cold', '1', '--repeats', '2'];

beforeAll(() => {
  buildCli();
  cwd = mkdtempSync(join(tmpdir(), 'latentd-bench-test-'));
  const checkpoints = file('models/checkpoints');
  mkdirSync(checkpoints, { recursive: true });
  symlinkSync(syntheticCheckpoint('sampling/sd15-inpaint'), join(checkpoints, 'a-inpaint.safetensors'));
  symlinkSync(tinyCheckpoint('sd15'), join(checkpoints, 'sd15.safetensors'));
  symlinkSync(tinyCheckpoint('sdxl'), join(checkpoints, 'sdxl.safetensors'));
});
afterAll(() => {
  rmSync(cwd, { recursive: true });
});

describe('a measured case', () => {
  test('is told as a table, as JSON, as a page and as a trace', async () => {
    const outputs = ['--json', 'out.json', '--html', 'out.html', '--profile', 'trace.json'];
    const { code, stdout, stderr } = await latentd(['bench', ...quick, ...outputs], { cwd });
    expect(stderr).toMatch(/^measuring the machine's peak\ncase 1 of 1: sd15\.safetensors 64×64/);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^latentd \d/);
    // The first checkpoint that draws from text alone.
    expect(stdout).toContain('sd15.safetensors 64×64, batch 1, 2 steps of euler (normal) · sd1 F16');
    for (const stage of ['start', 'load unet', 'text encode', 'step', 'vae decode', 'png', 'total']) {
      expect(stdout).toMatch(new RegExp(`^  ${stage} .* m?s`, 'm'));
    }

    const report = parseReport(readFileSync(file('out.json'), 'utf8'), 'out.json');
    expect(report.peak.flops).toBeGreaterThan(1e8);
    expect(report.peak.bandwidth).toBeGreaterThan(1e8);
    const [one] = report.cases;
    expect(one).toMatchObject({
      device: 'cpu',
      model: { family: 'sd1', dtype: 'F16' },
      memory: { gpu: null },
    });
    expect(one!.steps.map((steps) => steps.length)).toEqual([2, 2]);
    const step = one!.stages.find(({ name }) => name === 'step')!;
    expect(step.summary.count).toBe(4);
    // Both prompts at once through the tiny UNet, whose cost is counted elsewhere.
    expect(step.flops).toBeGreaterThan(1e7);
    const cold = one!.stages.filter(({ phase }) => phase === 'cold');
    expect(cold.map(({ name }) => name)).toEqual([
      ...['start', 'checkpoint open', 'load clip_l', 'load unet', 'load vae decoder'],
      ...['text encode', 'sampling', 'vae decode', 'png', 'total'],
    ]);

    expect(readFileSync(file('out.html'), 'utf8')).toContain('time of each sampling step');

    const { traceEvents } = JSON.parse(readFileSync(file('trace.json'), 'utf8')) as {
      readonly traceEvents: readonly {
        readonly name: string;
        readonly cat?: string;
        readonly args?: object;
      }[];
    };
    const categories = new Set(traceEvents.map(({ cat }) => cat));
    expect([...categories]).toEqual([undefined, 'run', 'node', 'step', 'load', 'program', 'operator']);
    const layers = traceEvents.filter(
      ({ args }) => args && 'layer' in args && args.layer === 'input_blocks.0.0',
    );
    // Two steps of a cold and of a warm run.
    expect(layers.filter(({ name }) => name === 'Convolution')).toHaveLength(4);
    // No images are left anywhere.
    expect(existsSync(file('output'))).toBe(false);
  });

  test('is compared with an earlier report', async () => {
    const { stdout } = await latentd(['bench', ...quick, '--json', '-'], { cwd });
    const before = parseReport(stdout, 'stdout');
    writeFileSync(file('before.json'), JSON.stringify(before));
    const compared = await latentd(['bench', ...quick, '--compare', 'before.json'], { cwd });
    expect(compared.code).toBe(0);
    expect(compared.stdout).toMatch(/^compared with the earlier report$/m);
    expect(compared.stdout).toMatch(/^ {2}warm total .* (too few samples|no difference)$/m);
  });

  test('can be one of a matrix', async () => {
    const matrix = [
      '--matrix',
      'checkpoint=sd15,sdxl',
      '--matrix',
      'batch=1,2',
      '--repeats',
      '1',
      '--warmup',
      '0',
    ];
    const { code, stdout } = await latentd(['bench', ...quick, ...matrix, '--json', '-'], { cwd });
    expect(code).toBe(0);
    const { cases } = parseReport(stdout, 'stdout');
    expect(cases.map((one) => `${one.case.checkpoint} ${one.case.batch}`)).toEqual([
      ...['sd15.safetensors 1', 'sd15.safetensors 2', 'sdxl.safetensors 1', 'sdxl.safetensors 2'],
    ]);
    const flops = cases.map((one) => one.stages.find(({ name }) => name === 'step')!.flops!);
    expect(flops[1]).toBe(2 * flops[0]!);
  });
});

describe('what can’t be measured', () => {
  test.each([
    [['--checkpoint', 'sd15.safetensor'], /sd15\.safetensor.*nearest: "sd15\.safetensors"/s],
    [['--sampler', 'eular'], /--sampler: there is no sampler "eular"; nearest: "euler"/],
    [['--width', '100'], /--width must be a number of pixels/],
    [['--matrix', 'sise=64'], /nearest: "size"/],
    [['--repeats', '0'], /--repeats must be a whole number from 1 to 1000/],
    [['--device', 'webgpu'], /no webgpu backend yet/],
    [['--device', 'cuda'], /--device: /],
    [['--compare', 'nowhere.json'], /--compare: .*nowhere\.json/],
    [['--compare', 'models/checkpoints/sd15.safetensors'], /is no JSON/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await latentd(['bench', ...quick, ...args], { cwd });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('measuring');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('no checkpoint: says how to get one', async () => {
    const { code, stderr } = await latentd(['bench', '--models', 'empty'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(`no checkpoint to measure in ${file('empty')}/checkpoints`);
    expect(stderr).toContain('latentd run sprite_optimized');
  });

  test('a checkpoint without text encoders: the workflow’s own error, exit code 1', async () => {
    const parts = Object.entries(fixtureManifest('golden/manifests/sd15-tiny'));
    const manifest = Object.fromEntries(parts.filter(([key]) => !key.startsWith('cond_stage_model.')));
    writeSyntheticCheckpoint(manifest, file('models/checkpoints/stripped.safetensors'));
    const { code, stderr } = await latentd(['bench', ...quick, '--checkpoint', 'stripped'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^latentd: node 3 \(CLIPTextEncode\) failed: the checkpoint holds no text encoder/m,
    );
  });
});

test('a signal ends it, and the process that it measures', async () => {
  const before = temporaries();
  const { code, stdout } = await latentd(['bench', ...quick, '--repeats', '1000'], {
    cwd,
    onStart: (kill) =>
      setTimeout(() => {
        kill('SIGTERM');
      }, 4000),
  });
  expect(code).toBe(143);
  expect(stdout).toBe('');
  expect(temporaries()).toEqual(before);
});

function temporaries(): string[] {
  return readdirSync(tmpdir()).filter((name) => /^latentd-bench-(?!test)/.test(name));
}
