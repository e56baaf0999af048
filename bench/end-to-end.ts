/**
 * Text to image from the start of the process to the PNG, and warm, beside ComfyUI on the same machine in the same hour.
 *
 * MODELS and CHECKPOINT say what with (a models folder, a name in its checkpoints), SIZE (256), STEPS (4), ROUNDS (3) and REPEATS (3) how
 * much. ComfyUI runs where COMFY and TORCHSDE name checkouts, PYTHON an interpreter with its requirements, and PYTHONPATH holds
 * comfy_env.py; without them latentd is measured alone.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workflowOf, type BenchCase } from '../src/bench/case.js';
import { measureCase } from '../src/bench/measure-case.js';
import { median, pairedRatio, ratioInterval } from '../src/bench/statistics.js';
import { buildCli, MAIN, ROOT } from '../test/cli/latentd.js';
import { comparison } from './harness/comparison.js';
import type { Results } from './harness/results.js';

const { env } = process;
const models = resolve(env['MODELS'] ?? 'models');
const size = Number(env['SIZE'] ?? 256);
const one: BenchCase = {
  checkpoint: env['CHECKPOINT'] ?? 'sd15-full.safetensors',
  width: size,
  height: size,
  batch: 1,
  steps: Number(env['STEPS'] ?? 4),
  sampler: 'euler',
  scheduler: 'normal',
};
const rounds = Number(env['ROUNDS'] ?? 3);
const repeats = Number(env['REPEATS'] ?? 3);
const threads = availableParallelism();
const hook = fileURLToPath(new URL('./harness/usage-hook.mjs', import.meta.url));
const reference = join(ROOT, 'tools/reference/end_to_end.py');

/** One process with one run. */
interface Cold {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** Milliseconds of each warm run. */
interface Warm {
  readonly total: readonly number[];
  readonly 'text encode': readonly number[];
  readonly step: readonly number[];
  readonly 'vae decode': readonly number[];
}

interface ReferenceRuns {
  readonly runs: readonly { readonly ms: number; readonly nodes: readonly (readonly [string, number])[] }[];
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** Runs a program to its end; milliseconds from its start. */
function wallTime(program: string, args: readonly string[], variables: object): Promise<number> {
  const started = performance.now();
  const child = spawn(program, args, {
    env: { ...env, ...variables },
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done(performance.now() - started);
      else fail(new Error(`${program} ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${errors}`));
    });
  });
}

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

async function ourCold(folder: string): Promise<Cold> {
  const usage = join(folder, 'usage.json');
  const args = ['--import', hook, MAIN, 'run', join(folder, 'workflow.json')];
  const folders = ['--models', models, '--output', folder, '--temp', folder, '--threads', String(threads)];
  const wallMs = await wallTime(process.execPath, [...args, ...folders], { USAGE_FILE: usage });
  return { ...(read(usage) as Omit<Cold, 'wallMs'>), wallMs };
}

async function ourWarm(): Promise<Warm> {
  const { warm } = await measureCase(one, {
    worker: join(ROOT, 'dist/bench/worker.js'),
    folders: { models, input: models, output: models, temp: models },
    threads,
    memoryLimit: undefined,
    cold: 1,
    warmup: 0,
    repeats,
  });
  return {
    total: warm.map(({ totalMs }) => totalMs),
    'text encode': warm.map(({ stages }) => stages['text encode'].ms),
    step: warm.map(({ stages }) => stages.sampling.ms / one.steps),
    'vae decode': warm.map(({ stages }) => stages['vae decode'].ms),
  };
}

async function theirRuns(
  folder: string,
  count: number,
): Promise<ReferenceRuns & { readonly wallMs: number }> {
  const out = join(folder, 'reference.json');
  const args = [reference, models, join(folder, 'workflow.json'), out, String(count)];
  // The tiny checkpoints need ComfyUI's sizes changed, full-size ones need them as they are.
  const variables = { THREADS: String(threads), TINY: one.checkpoint.includes('tiny') ? '1' : '0' };
  const wallMs = await wallTime(env['PYTHON'] ?? 'python3', args, variables);
  return { ...(read(out) as ReferenceRuns), wallMs };
}

async function theirWarm(folder: string): Promise<Warm> {
  const { runs } = await theirRuns(folder, repeats + 1);
  const warm = runs.slice(1);
  const timeOf = (type: string) =>
    warm.map(({ nodes }) => nodes.filter(([name]) => name === type).reduce((sum, [, ms]) => sum + ms, 0));
  return {
    total: warm.map(({ ms }) => ms),
    'text encode': timeOf('CLIPTextEncode'),
    step: timeOf('KSampler').map((ms) => ms / one.steps),
    'vae decode': timeOf('VAEDecode'),
  };
}

function addColds(results: Results, ours: readonly Cold[], theirs: readonly Cold[]): void {
  const figures = [
    ['cold run, process start to PNG', 'ms', ({ wallMs }: Cold) => wallMs],
    ['cold run, processor time', 'ms', ({ cpuMs }: Cold) => cpuMs],
    ['cold run, peak memory', 'B', ({ peakBytes }: Cold) => peakBytes],
  ] as const;
  for (const [group, unit, of] of figures) {
    const [before, after] = [theirs.map(of), ours.map(of)];
    if (before.length > 0) results.add({ group, name: 'ComfyUI', unit, samples: before });
    const ratio = before.length === 0 ? {} : { ratio: { to: 'ComfyUI', ...pairedRatio(before, after) } };
    results.add({ group, name: 'latentd', unit, samples: after, ...ratio });
  }
}

function addWarms(results: Results, ours: Warm, theirs: Warm | undefined): void {
  for (const stage of ['text encode', 'step', 'vae decode', 'total'] as const) {
    const group = `warm, ${stage}`;
    const after = ours[stage];
    const before = theirs?.[stage];
    if (before !== undefined) results.add({ group, name: 'ComfyUI', unit: 'ms', samples: [...before] });
    const value = before && median(after) / median(before);
    const ratio = before && value && { ratio: { to: 'ComfyUI', value, ...ratioInterval(before, after) } };
    results.add({ group, name: 'latentd', unit: 'ms', samples: [...after], ...ratio });
  }
}

comparison(
  'end-to-end',
  'Text to image from process start to PNG, and warm, beside ComfyUI 0.3.64 (--cpu --force-fp32) in the same hour.',
  async (results) => {
    buildCli();
    const folder = mkdtempSync(join(tmpdir(), 'latentd-end-to-end-'));
    try {
      writeFileSync(join(folder, 'workflow.json'), JSON.stringify(workflowOf(one)));
      results.note('checkpoint', one.checkpoint);
      results.note('size', `${size}×${size}, ${one.steps} steps of Euler with guidance`);
      results.note('threads', threads);
      const withReference = env['COMFY'] !== undefined;
      const ours: Cold[] = [];
      const theirs: Cold[] = [];
      for (let round = 0; round < rounds; round++) {
        if (withReference) theirs.push(await theirRuns(folder, 1));
        ours.push(await ourCold(folder));
      }
      addColds(results, ours, theirs);
      addWarms(results, await ourWarm(), withReference ? await theirWarm(folder) : undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
