/**
 * One step at 256×256 of the largest models that people run at home, in files of their real sizes: until they are open, a step's time, and the
 * memory that a process has beside the mapped file. MODELS names some of them (flux-dev:fp8, z_image:bf16, …; z_image:bf16:16 has at most 16 blocks
 * of each kind), FOLDER where there is room for one file at a time (up to 20 GB). Where COMFY names ComfyUI (as `end-to-end.ts` says), Z-Image is
 * stepped by it as well, in float32, for which a machine needs twice the file's size. LORA puts low-rank changes of that rank on every matrix.
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pairedRatio } from '../src/bench/statistics.js';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import type { Weight } from '../src/compute/weight.js';
import { createFolders } from '../src/models/folders/folders.js';
import type { WeightPatch, WeightPatches } from '../src/models/weights/weight-patches.js';
import type { WeightSource } from '../src/models/weights/weight-source.js';
import { createModelStore } from '../src/models/open-models.js';
import { createProgramCache, type ProgramCache } from '../src/models/programs/program-cache.js';
import { hasFastBf16 } from '../src/native/addon.js';
import { ROOT } from '../test/cli/latentd.js';
import { comparison } from './harness/comparison.js';
import { questionOf, waves } from './harness/full-questions.js';
import { writeFullTransformer, type FullForm } from './harness/full-transformer.js';
import type { Results } from './harness/results.js';

const { env } = process;
const threads = availableParallelism();
const folder = env['FOLDER'] ?? tmpdir();
const chosen = (env['MODELS'] ?? 'z_image:bf16,flux-dev:fp8,qwen_image:fp8').split(',');
const GIGABYTE = 2 ** 30;

/** A change of each matrix that is much larger than its factors. */
function lowRankChanges(weights: WeightSource, rank: number): WeightPatches {
  const factor = (rows: number, columns: number): Weight => {
    const values = waves([rows, columns]);
    return {
      name: 'factor',
      shape: values.shape,
      read: (into) => {
        into.set(values.data);
      },
    };
  };
  const changes = new Map<string, readonly WeightPatch[]>();
  for (const key of weights.keys()) {
    const [rows = 0, columns = 0, ...more] = weights.weight(key).shape;
    if (more.length > 0 || rows * columns < 4 * rank * (rows + columns)) continue;
    const product = { up: factor(rows, rank), down: factor(rank, columns), factor: 1e-4 };
    const apply = () => {
      throw new Error(`${key} is read for its change`);
    };
    changes.set(key, [{ identity: `rank ${rank}`, product, apply }]);
  }
  return changes;
}

/** Bytes of this process's memory that lie in no file, and all that are resident. */
function memory(): { readonly anonymous: number; readonly all: number } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  return { anonymous: of('RssAnon'), all: of('VmRSS') };
}

/** The most that was resident while `body` ran. */
async function peakOf<Result>(
  body: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly anonymous: number; readonly all: number }> {
  let [anonymous, all] = [0, 0];
  const look = () => {
    const now = memory();
    [anonymous, all] = [Math.max(anonymous, now.anonymous), Math.max(all, now.all)];
  };
  const timer = setInterval(look, 10);
  try {
    const result = await body();
    look();
    return { result, anonymous, all };
  } finally {
    clearInterval(timer);
  }
}

async function measure(results: Results, name: string, form: FullForm, blocks: number): Promise<void> {
  const inputs = questionOf(name);
  const path = join(folder, `latentd-bench-${name}-${form}.safetensors`);
  const bytes = writeFullTransformer(name, form, path, blocks);
  const programs = createProgramCache(createOnnxBackend({ threads }));
  try {
    const group = `${name}, ${form}, ${blocks === Infinity ? '' : `${blocks} blocks, `}${(bytes / GIGABYTE).toFixed(1)} GB`;
    const add = (row: string, unit: string, sample: number, wanted?: string) => {
      results.add({ group, name: row, unit, samples: [sample], ...(wanted === undefined ? {} : { wanted }) });
    };
    const started = performance.now();
    const folders = createFolders({ models: folder, input: folder, output: folder, temp: folder });
    const opened = createModelStore({ programs, folders }).diffusionModel(path);
    add('open', 'ms', performance.now() - started, '< 2 s');
    const rank = Number(env['LORA'] ?? 0);
    const model = rank === 0 ? opened : opened.withPatches(lowRankChanges(opened.weights, rank));
    const frames = model.latentFormat.dimensions === 3 ? [1] : [];
    const x = waves([1, model.latentFormat.channels, ...frames, 32, 32]);
    for (const step of ['first step', 'second step']) {
      const begun = performance.now();
      const before = process.cpuUsage();
      const { result, anonymous, all } = await peakOf(() =>
        model.predict({ x, timesteps: Float32Array.of(0.7), inputs }),
      );
      const { user, system } = process.cpuUsage(before);
      if (!result.data.every(Number.isFinite)) throw new Error(`${name} makes numbers that are none`);
      add(step, 'ms', performance.now() - begun);
      add(`${step}, processor time`, 'ms', (user + system) / 1000);
      add(`${step}, memory in no file, at most`, 'B', anonymous, '< 3 GB');
      add(`${step}, resident, at most`, 'B', all, '< 24 GB');
    }
    if (env['COMFY'] !== undefined && name === 'z_image') await compare(results, group, path, programs);
  } finally {
    await programs.dispose();
    rmSync(path, { force: true });
  }
}

interface Times {
  readonly ms: number;
  /** Of all threads. */
  readonly cpuMs: number;
}

/** Lines that a script prints, one after the other. */
function linesOf(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, { env: { ...env, ...more }, stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    child,
    async next(): Promise<string> {
      const line = await lines.next();
      if (line.done === true) throw new Error(`${args[0] ?? command} has ended`);
      return line.value;
    },
  };
}

/** From a process's start to its first step, and steps: in turns, with the other's weights out of memory where they have to be. */
async function compare(results: Results, group: string, path: string, programs: ProgramCache): Promise<void> {
  await programs.dispose();
  const times: Record<string, Record<'cold' | 'ms' | 'cpuMs', number[]>> = {};
  for (const [name, command, script, more] of [
    ['ComfyUI, float32', env['PYTHON'] ?? 'python3', 'tools/reference/transformer_step.py', { TINY: '0' }],
    ['latentd', process.execPath, 'bench/harness/step.mjs', {}],
    ['latentd, bf16', process.execPath, 'bench/harness/step.mjs', { PRECISION: 'bf16' }],
  ] as const) {
    if (name.endsWith('bf16') && !hasFastBf16()) continue;
    const own: Record<'cold' | 'ms' | 'cpuMs', number[]> = { cold: [], ms: [], cpuMs: [] };
    times[name] = own;
    const started = performance.now();
    const peer = linesOf(command, [join(ROOT, script), path, String(threads)], more);
    await peer.next();
    for (let round = 0; round < 4; round++) {
      peer.child.stdin.write('step\n');
      const each = JSON.parse(await peer.next()) as Times;
      if (round === 0) own.cold.push(performance.now() - started);
      else {
        own.ms.push(each.ms);
        own.cpuMs.push(each.cpuMs);
      }
    }
    peer.child.kill();
  }
  const [[first, theirs] = ['', undefined]] = Object.entries(times);
  for (const [row, of] of [
    ['process start to first step', 'cold'],
    ['a step', 'ms'],
    ['a step, processor time', 'cpuMs'],
  ] as const) {
    for (const [name, own] of Object.entries(times)) {
      const ratio = { to: first, ...pairedRatio(theirs![of], own[of]) };
      results.add({
        group: `${group}: ${row}`,
        name,
        unit: 'ms',
        samples: own[of],
        ...(name === first ? {} : { ratio }),
      });
    }
  }
}

comparison('full-size', 'A step at 256×256 of transformers of full size.', async (results) => {
  results.note('threads', threads);
  for (const each of chosen) {
    const [name = '', form = 'fp8', blocks = 'Infinity'] = each.split(':');
    if (form !== 'fp8' && form !== 'bf16') throw new Error(`MODELS takes fp8 and bf16, not ${form}`);
    await measure(results, name, form, Number(blocks));
  }
});
