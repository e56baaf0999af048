/**
 * `node build/gpu/bench/cuda/check.js FIXTURES [SIZE [PART]]` (`npm run test:gpu`): on a CUDA device, every kernel against its plain twin
 * (PART `kernels`), the tiny networks against ComfyUI's numbers, and whole images against the CPU's (`networks`). Ends with 1 when anything
 * is off.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import { openCuda } from '../../src/compute/cuda/open.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { parseManifest, writeSyntheticCheckpoint, type Manifest } from '../../test/support/synthetic.js';
import { kernelCases } from './kernel-cases.js';
import { psnr, relativeError } from './similarity.js';
import { tinyNetworks } from './tiny-networks.js';

const [fixtures = 'test/fixtures', sizeText = '8', part = 'all'] = process.argv.slice(2);
/** How large single layers and images are. */
const size = Number(sizeText);
const { backend, device } = openCuda();
console.error(JSON.stringify(device.info));
let failures = 0;

function judge(name: string, value: number, good: boolean, unit: string): void {
  if (!good) failures++;
  console.error(`${good ? 'ok  ' : 'OFF '} ${name}: ${value.toPrecision(3)} ${unit}`);
}

/** Every tile on every case; one that the card has no room for is said to be left out. */
async function checkKernels(): Promise<void> {
  for (const { name, graph, inputs } of kernelCases(size)) {
    const program = await backend.load(graph);
    device.force('plain');
    const { y: plain } = await program.run(inputs);
    for (const kernels of ['measured', 0, 1, 2, 3] as const) {
      try {
        device.force(kernels);
      } catch {
        console.error(`     tile ${kernels} doesn't fit this card`);
        continue;
      }
      const { y } = await program.run(inputs);
      const error = relativeError(y!, plain!);
      judge(`${name}, ${kernels}`, error, error < (graph.range === 'wide' ? 8e-3 : 1e-3), 'from its twin');
    }
    // Once more, as a recorded graph.
    device.force('measured');
    const [{ y: first }, { y: second }] = [await program.run(inputs), await program.run(inputs)];
    const error = relativeError(second!, first!);
    judge(`${name}, recorded`, error, error === 0, 'from the run before');
    await program.dispose();
  }
}

function readFixtureManifest(folder: string, name: string): Manifest {
  const plain = join(folder, `golden/manifests/${name}.json`);
  const text = existsSync(plain)
    ? readFileSync(plain, 'utf8')
    : gunzipSync(readFileSync(`${plain}.gz`)).toString();
  return parseManifest(text, plain);
}

const leastPsnr = 40;

async function checkNetworks(family: 'sd15' | 'sdxl', checkpoint: string): Promise<void> {
  const golden = join(fixtures, `golden/${family}-tiny.golden.safetensors`);
  for (const [name, compute] of Object.entries(tinyNetworks({ checkpoint, golden }, backend))) {
    const { actual, expected } = await compute();
    const limit = name === 'encoder' || name === 'decoder' ? 2e-2 : 3e-3;
    const error = relativeError(actual, expected);
    judge(`${family} ${name}`, error, error < limit, "from ComfyUI's");
    if (name !== 'decoder') continue;
    const decibels = psnr(actual.data, expected.data, 1);
    judge(`${family} ${name}`, decibels, decibels >= leastPsnr, 'dB');
  }
}

/** Text to image with the tiny checkpoint. */
function workflow(checkpoint: string, sampler: string): string {
  const node = (class_type: string, inputs: object) => ({ class_type, inputs });
  return JSON.stringify({
    1: node('CheckpointLoaderSimple', { ckpt_name: checkpoint }),
    2: node('CLIPTextEncode', { clip: ['1', 1], text: 'pixel art character sprite, sharp pixels' }),
    3: node('CLIPTextEncode', { clip: ['1', 1], text: 'blurry, low quality' }),
    4: node('EmptyLatentImage', { width: 32 * size, height: 24 * size, batch_size: 1 }),
    5: node('KSampler', {
      model: ['1', 0],
      positive: ['2', 0],
      negative: ['3', 0],
      latent_image: ['4', 0],
      seed: 42,
      steps: 8,
      cfg: 7,
      sampler_name: sampler,
      scheduler: 'normal',
      denoise: 1,
    }),
    6: node('VAEDecode', { samples: ['5', 0], vae: ['1', 2] }),
    7: node('SaveImage', { images: ['6', 0], filename_prefix: 'check' }),
  });
}

async function pixelsOf(name: string, folder: string, onCard: boolean): Promise<Buffer> {
  const engine = createEngine({
    folders: { models: folder, output: folder, temp: folder, input: folder },
    ...(onCard ? { backend } : {}),
  });
  const result = await engine.run(workflow(name, 'dpmpp_2m'));
  if (result.status !== 'success') throw new Error(JSON.stringify(result));
  const images = Object.values(result.outputs).flatMap(({ images = [] }) => images);
  return sharp(images[0]!.path).raw().toBuffer();
}

const folder = mkdtempSync(join(tmpdir(), 'latentd-check-'));
mkdirSync(join(folder, 'checkpoints'));
try {
  if (part !== 'networks') await checkKernels();
  for (const family of part === 'kernels' ? [] : (['sd15', 'sdxl'] as const)) {
    const name = `${family}-tiny.safetensors`;
    const checkpoint = join(folder, 'checkpoints', name);
    writeSyntheticCheckpoint(readFixtureManifest(fixtures, `${family}-tiny`), checkpoint);
    await checkNetworks(family, checkpoint);
    const decibels = psnr(await pixelsOf(name, folder, true), await pixelsOf(name, folder, false), 255);
    judge(`${family} image`, decibels, decibels >= leastPsnr, "dB from the CPU's");
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.error(failures === 0 ? 'all is well' : `${failures} are off`);
process.exitCode = failures === 0 ? 0 : 1;
