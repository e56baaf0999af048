/**
 * One step at 256×256 of the largest models that people run at home, in files of their real sizes: until they are open, a step's time, and the
 * memory that a process has beside the mapped file. MODELS names some of them (flux-dev:fp8, z_image:bf16, …), FOLDER where there is room
 * for one file at a time (up to 20 GB).
 */
import { readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../src/compute/tensor.js';
import { createFolders } from '../src/models/folders/folders.js';
import { createModelStore } from '../src/models/open-models.js';
import { createProgramCache } from '../src/models/programs/program-cache.js';
import { comparison } from './harness/comparison.js';
import { writeFullTransformer, type FullForm } from './harness/full-transformer.js';
import type { Results } from './harness/results.js';

const { env } = process;
const threads = availableParallelism();
const folder = env['FOLDER'] ?? tmpdir();
const chosen = (env['MODELS'] ?? 'z_image:bf16,flux-dev:fp8,qwen_image:fp8').split(',');
const GIGABYTE = 2 ** 30;

/** What each model is asked: the text's width and what else it takes, a latent of 256×256 pixels. */
const questions: Readonly<Record<string, () => Readonly<Record<string, Tensor>>>> = {
  'flux-dev': () => ({
    context: waves([1, 256, 4096]),
    pooled: waves([1, 768]),
    guidance: tensor([1, 1], Float32Array.of(3.5)),
  }),
  z_image: () => ({ context: waves([1, 64, 2560]) }),
  qwen_image: () => ({ context: waves([1, 64, 3584]) }),
};

function waves(shape: readonly number[]): Tensor {
  const made = tensor(shape);
  for (let index = 0; index < made.data.length; index++) made.data[index] = Math.sin(index * 12.9898);
  return made;
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

async function measure(results: Results, name: string, form: FullForm): Promise<void> {
  const question = questions[name];
  if (question === undefined)
    throw new Error(`unknown model ${name}; known are ${Object.keys(questions).join(', ')}`);
  const path = join(folder, `latentd-bench-${name}-${form}.safetensors`);
  const bytes = writeFullTransformer(name, form, path);
  const programs = createProgramCache(createOnnxBackend({ threads }));
  try {
    const group = `${name}, ${form}, ${(bytes / GIGABYTE).toFixed(1)} GB`;
    const add = (row: string, unit: string, sample: number, wanted?: string) => {
      results.add({ group, name: row, unit, samples: [sample], ...(wanted === undefined ? {} : { wanted }) });
    };
    const inputs = question();
    const started = performance.now();
    const folders = createFolders({ models: folder, input: folder, output: folder, temp: folder });
    const model = createModelStore({ programs, folders }).diffusionModel(path);
    add('open', 'ms', performance.now() - started, '< 2 s');
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
  } finally {
    await programs.dispose();
    rmSync(path, { force: true });
  }
}

comparison('full-size', 'A step at 256×256 of transformers of full size.', async (results) => {
  results.note('threads', threads);
  for (const each of chosen) {
    const [name = '', form = 'fp8'] = each.split(':');
    if (form !== 'fp8' && form !== 'bf16') throw new Error(`MODELS takes fp8 and bf16, not ${form}`);
    await measure(results, name, form);
  }
});
