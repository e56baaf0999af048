/**
 * `node build/gpu/bench/cuda/transformer.js NAME FORM FOLDER REPORT [PIXELS [BLOCKS]]`: a transformer of full size on a card, as JSON in REPORT:
 * until its file is open, the first step (weights go to the card) and the median of ten more. NAME is one of `full-layouts.json`, FORM `fp8`
 * or `bf16`; the file is written to FOLDER first, with at most BLOCKS blocks of each kind, and removed at the end. PIXELS is the picture's
 * side (1024).
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCuda } from '../../src/compute/cuda/open.js';
import { createFolders } from '../../src/models/folders/folders.js';
import { createModelStore } from '../../src/models/open-models.js';
import { createProgramCache } from '../../src/models/programs/program-cache.js';
import { questionOf, waves } from '../harness/full-questions.js';
import { writeFullTransformer } from '../harness/full-transformer.js';

const [name = '', form = 'fp8', folder = '.', reportFile = 'transformer-report.json', ...numbers] =
  process.argv.slice(2);
if (form !== 'fp8' && form !== 'bf16') throw new Error(`FORM is fp8 or bf16, not ${form}`);
const [pixels = 1024, blocks = Infinity] = numbers.map(Number);

const report: Record<string, unknown> = { name, form, pixels };
/** What is measured is written as soon as it is known. */
function note(values: Record<string, unknown>): void {
  Object.assign(report, values);
  writeFileSync(reportFile, JSON.stringify(report, null, 1));
}

const inputs = questionOf(name);
mkdirSync(folder, { recursive: true });
const path = join(folder, `latentd-${name}-${form}.safetensors`);
note({ bytes: writeFullTransformer(name, form, path, blocks) });
try {
  const { backend, device } = openCuda();
  const notices: string[] = [];
  note({ device: device.info, notices });
  const wholeBytes = device.freeBytes();
  const folders = createFolders({ models: folder, input: folder, output: folder, temp: folder });
  const programs = createProgramCache(backend);
  const opening = performance.now();
  const model = createModelStore({
    programs,
    folders,
    warn: (message) => notices.push(message),
  }).diffusionModel(path);
  note({ openMs: performance.now() - opening });
  const side = Math.ceil(pixels / model.latentFormat.downscale);
  const frames = model.latentFormat.dimensions === 3 ? [1] : [];
  const x = waves([1, model.latentFormat.channels, ...frames, side, side]);
  const step = async (): Promise<number> => {
    const begun = performance.now();
    const { data } = await model.predict({ x, timesteps: Float32Array.of(0.7), inputs });
    if (!data.every(Number.isFinite)) throw new Error(`${name} makes numbers that are none`);
    return performance.now() - begun;
  };
  note({ firstStepMs: await step() });
  const steps: number[] = [];
  for (let count = 0; count < 10; count++) {
    steps.push(await step());
    note({ stepMs: steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)], steps });
  }
  note({ peakBytes: wholeBytes - device.freeBytes() });
  await programs.dispose();
} finally {
  rmSync(path, { force: true });
}
