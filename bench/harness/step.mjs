/** Steps Z-Image from a file, as tools/reference/transformer_step.py does with ComfyUI: step.mjs FILE THREADS, with PRECISION (fp32) in the environment. */
import { tmpdir } from 'node:os';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { createOnnxBackend } from '../../dist/compute/onnx/backend.js';
import { tensor } from '../../dist/compute/tensor.js';
import { createFolders } from '../../dist/models/folders/folders.js';
import { createModelStore } from '../../dist/models/open-models.js';
import { createProgramCache } from '../../dist/models/programs/program-cache.js';

const [path, threads] = process.argv.slice(2);
const precision = process.env.PRECISION ?? 'fp32';
const programs = createProgramCache(createOnnxBackend({ threads: Number(threads), precision }));
const folder = tmpdir();
const folders = createFolders({ models: folder, input: folder, output: folder, temp: folder });
const model = createModelStore({ programs, folders }).diffusionModel(path);
const waves = (shape) => {
  const made = tensor(shape);
  made.data.forEach((_, index) => (made.data[index] = Math.sin(index * 12.9898)));
  return made;
};
const evaluation = {
  x: waves([1, 16, 32, 32]),
  timesteps: Float32Array.of(0.7),
  inputs: { context: waves([1, 64, 2560]) },
};

console.log('');
const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
while ((await lines.next()).done !== true) {
  const before = process.cpuUsage();
  const started = performance.now();
  await model.predict(evaluation);
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1000 }));
}
