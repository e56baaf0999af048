/**
 * `node build/gpu/bench/cuda/measure.js MODELS/checkpoints/NAME [MANIFEST [REPORT [SIDE [STEPS [RUNS]]]]]`: a checkpoint on a card, as
 * JSON in REPORT: loading, a step by itself and by kinds of instructions, decoding, and whole images cold and warm, of SIDE×SIDE pixels
 * (1024) in STEPS steps (30), medians of RUNS (15). The checkpoint is written from the manifest when it isn't there. What is
 * measured is written as soon as it is known.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { matrixFlops, programFlops } from '../../src/compute/cuda/cost.js';
import { CudaGraph } from '../../src/compute/cuda/backend.js';
import { openCuda } from '../../src/compute/cuda/open.js';
import type { CudaProgram } from '../../src/compute/lowering/cuda/program.js';
import { evaluateDim, type DimBindings } from '../../src/compute/dim.js';
import type { Graph } from '../../src/compute/graph.js';
import { elementCount, tensor, type Tensor } from '../../src/compute/tensor.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { recogniseCheckpoint } from '../../src/models/families/recognise.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../src/models/files/safetensors-weights.js';
import { parseManifest, writeSyntheticCheckpoint, type Manifest } from '../../test/support/synthetic.js';
import { detectVae } from '../../src/models/vae/config.js';
import { buildDecoderGraph } from '../../src/models/vae/vae-graph.js';
import { underPrefix } from '../../src/models/weights/weight-views.js';

const [
  checkpoint = 'models/checkpoints/sdxl-full.safetensors',
  manifest,
  reportFile = 'cuda-report.json',
  ...numbers
] = process.argv.slice(2);
const [side = 1024, steps = 30, runs = 15] = numbers.map(Number);
if (!existsSync(checkpoint)) {
  if (manifest === undefined) throw new Error(`${checkpoint} isn't there; name a manifest to write it from`);
  console.error(`writing ${checkpoint}`);
  mkdirSync(dirname(checkpoint), { recursive: true });
  writeSyntheticCheckpoint(readManifestFile(manifest), checkpoint);
}

const started = performance.now();
const { backend, device } = openCuda();
const openedMs = performance.now() - started;
const totalBytes = device.freeBytes();
const source = safetensorsWeights(openSafetensors(checkpoint));

function readManifestFile(path: string): Manifest {
  const bytes = readFileSync(path);
  return parseManifest((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString(), path);
}

/** Values spread like a latent's. */
function noise(...shape: number[]): Tensor {
  const data = new Float32Array(elementCount(shape));
  let state = 7;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = ((state >>> 8) / 2 ** 23 - 1) * Math.sqrt(3);
  }
  return tensor(shape, data);
}

async function load(graph: Graph) {
  const start = performance.now();
  const program = await backend.load(graph);
  if (!(program instanceof CudaGraph)) throw new Error('not on the card');
  const seconds = (performance.now() - start) / 1000;
  return { program, load: { seconds, gigabytesPerSecond: program.residentBytes / 1e9 / seconds } };
}

/** Milliseconds and FLOPs of all instructions of a kind. */
function byKind(program: CudaProgram, times: Float32Array): Record<string, object> {
  const kinds: Record<string, { ms: number; flops: number; count: number }> = {};
  program.instructions.forEach((instruction, index) => {
    const convolved = instruction.kind === 'product' && instruction.window !== undefined;
    const kind = convolved ? 'convolution' : instruction.kind;
    const sum = (kinds[kind] ??= { ms: 0, flops: 0, count: 0 });
    sum.ms += times[index]!;
    sum.flops += matrixFlops(instruction, program.weights);
    sum.count++;
  });
  return Object.fromEntries(
    Object.entries(kinds).map(([kind, { ms, flops, count }]) => [
      kind,
      { count, ms: round(ms), tflops: round(flops / ms / 1e9) },
    ]),
  );
}

/** The slowest instructions, with their layers. */
function slowest(program: CudaProgram, times: Float32Array): object[] {
  return Array.from(times, (ms, index) => ({ ms: round(ms), layer: program.layers[index] }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 12);
}

/** The graph at one size, with noise for each input. */
function measureNetwork(graph: Graph, bindings: DimBindings): Promise<object> {
  const inputs = graph.inputs.map(({ name, value }) => [
    name,
    noise(...value.shape.map((dim) => evaluateDim(dim, bindings))),
  ]);
  return measureGraph(graph, Object.fromEntries(inputs) as Record<string, Tensor>);
}

async function measureGraph(graph: Graph, inputs: Record<string, Tensor>): Promise<object> {
  const loaded = await load(graph);
  const first = performance.now();
  await loaded.program.run(inputs);
  const firstMs = performance.now() - first;
  const { plan, program } = loaded.program.prepare(inputs);
  const ms = await loaded.program.model.time(plan, runs);
  const times = await loaded.program.model.profile(plan);
  const flops = programFlops(program);
  const peakBytes = totalBytes - device.freeBytes();
  await loaded.program.dispose();
  return {
    load: { seconds: round(loaded.load.seconds), gigabytesPerSecond: round(loaded.load.gigabytesPerSecond) },
    firstMs: round(firstMs),
    ms: round(ms),
    teraflop: round(flops / 1e12),
    tflops: round(flops / ms / 1e9),
    arenaBytes: program.arenaBytes,
    weightBytes: program.weightBytes,
    peakBytes,
    kinds: byKind(program, times),
    slowest: slowest(program, times),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

function workflow(seed: number): string {
  const node = (class_type: string, inputs: object) => ({ class_type, inputs });
  return JSON.stringify({
    1: node('CheckpointLoaderSimple', { ckpt_name: basename(checkpoint) }),
    2: node('CLIPTextEncode', { clip: ['1', 1], text: 'pixel art character sprite' }),
    3: node('CLIPTextEncode', { clip: ['1', 1], text: 'blurry' }),
    4: node('EmptyLatentImage', { width: side, height: side, batch_size: 1 }),
    5: node('KSampler', {
      model: ['1', 0],
      positive: ['2', 0],
      negative: ['3', 0],
      latent_image: ['4', 0],
      seed,
      steps,
      cfg: 7,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
    }),
    6: node('VAEDecode', { samples: ['5', 0], vae: ['1', 2] }),
    7: node('SaveImage', { images: ['6', 0], filename_prefix: 'measure' }),
  });
}

/** Milliseconds of whole images: the first of this process, and the second. */
async function measureImages(): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-measure-'));
  const folders = { models: dirname(dirname(checkpoint)), output: folder, temp: folder, input: folder };
  const engine = createEngine({ folders, backend });
  const times: object[] = [];
  for (const seed of [1, 2, 3]) {
    const start = performance.now();
    const result = await engine.run(workflow(seed));
    if (result.status !== 'success') throw new Error(JSON.stringify(result));
    const nodes = result.timings.map(({ class_type, ms }) => [class_type, round(ms)]);
    times.push({ ms: round(performance.now() - start), nodes, freeBytes: device.freeBytes() });
  }
  await engine.dispose();
  rmSync(folder, { recursive: true });
  return times;
}

const { denoiser } = recogniseCheckpoint(source);
const vae = underPrefix(source, 'first_stage_model.');
const report: Record<string, unknown> = {};

/** Runs that take too long leave what came before. */
function note(name: string, value: unknown): void {
  report[name] = value;
  writeFileSync(reportFile, JSON.stringify(report, null, 1));
}

const latent = Math.ceil(side / 8);
note('device', device.info);
note('openedMs', round(openedMs));
note(
  'denoiser',
  await measureNetwork(denoiser.network.graph(denoiser.weights), { N: 2, H: latent, W: latent, T: 77 }),
);
note(
  'decoder',
  await measureGraph(buildDecoderGraph(detectVae(vae), vae), { latent: noise(1, 4, latent, latent) }),
);
note('images', await measureImages());
