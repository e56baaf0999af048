/**
 * A picture of 256×256 through a network of RealESRGAN x4plus's size, beside spandrel (PyTorch, float32) in the same run, turn by
 * turn; `SIDE` takes another size. `SPANDREL` names the folder `libs/spandrel` of a checkout, `PYTHON` the Python that has torch; without them our own
 * figures stand alone. `MODEL` takes a network of another family (those of tools/reference/upscale_sizes.py, made by spandrel), on
 * 96×96, which the windows of all of them divide.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pairedRatio } from '../src/bench/statistics.js';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { tensor } from '../src/compute/tensor.js';
import { openModelFile } from '../src/models/files/model-file.js';
import { createProgramCache } from '../src/models/programs/program-cache.js';
import { safetensorsWeights } from '../src/models/files/safetensors-weights.js';
import { writeSyntheticCheckpoint, type Manifest } from '../test/support/synthetic.js';
import { createUpscaler } from '../src/models/upscale/upscaler.js';
import { comparison } from './harness/comparison.js';

const THREADS = 2;
const MODEL = process.env['MODEL'] ?? 'real-esrgan';
const SIDE = Number(process.env['SIDE'] ?? (MODEL === 'real-esrgan' ? 256 : 96));
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);

/** RealESRGAN x4plus: 64 features, 23 blocks. */
function realEsrgan(): Manifest {
  const keys: Record<string, Manifest[string]> = {};
  const conv = (path: string, outputs: number, inputs: number): void => {
    keys[`${path}.weight`] = ['F32', [outputs, inputs, 3, 3]];
    keys[`${path}.bias`] = ['F32', [outputs]];
  };
  conv('conv_first', 64, 3);
  for (let block = 0; block < 23; block++) {
    for (const part of [1, 2, 3]) {
      for (const index of [1, 2, 3, 4, 5]) {
        conv(`body.${block}.rdb${part}.conv${index}`, index === 5 ? 64 : 32, 64 + 32 * (index - 1));
      }
    }
  }
  for (const path of ['conv_body', 'conv_up1', 'conv_up2', 'conv_hr']) conv(path, 64, 64);
  conv('conv_last', 3, 64);
  return keys;
}

interface Turn {
  readonly ms: number;
  /** Bytes that the process held at most so far. */
  readonly peak: number;
}

/** How Python is called for spandrel's sake; undefined where it isn't told of. */
function python(
  script: string,
): { readonly command: string; readonly script: string; readonly env: NodeJS.ProcessEnv } | undefined {
  const { SPANDREL, PYTHON = 'python3' } = process.env;
  if (SPANDREL === undefined) return undefined;
  const env = { ...process.env, PYTHONPATH: SPANDREL, OMP_NUM_THREADS: String(THREADS) };
  return {
    command: PYTHON,
    script: fileURLToPath(new URL(`../tools/reference/${script}`, import.meta.url)),
    env,
  };
}

function writeModel(path: string): void {
  if (MODEL === 'real-esrgan') {
    writeSyntheticCheckpoint(realEsrgan(), path);
    return;
  }
  const maker = python('upscale_sizes.py');
  if (maker === undefined) throw new Error(`SPANDREL must name libs/spandrel, which makes ${MODEL}`);
  execFileSync(maker.command, [maker.script, MODEL, path], {
    env: maker.env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** spandrel in a process of its own. */
function startPeer(
  model: string,
): { readonly turn: () => Promise<Turn>; readonly stop: () => void } | undefined {
  const peer = python('upscale_peer.py');
  if (peer === undefined) return undefined;
  const child = spawn(peer.command, [peer.script, model, String(SIDE), String(THREADS)], {
    env: peer.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async turn() {
      child.stdin.write('go\n');
      const line = (await lines.next()) as IteratorResult<string, undefined>;
      if (line.value === undefined) throw new Error('spandrel ended before its turn');
      return JSON.parse(line.value) as Turn;
    },
    stop: () => child.stdin.end(),
  };
}

const ownPeak = (): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;

comparison(
  MODEL === 'real-esrgan' ? 'upscale' : `upscale-${MODEL}`,
  `A picture of ${SIDE}×${SIDE} through ${MODEL === 'real-esrgan' ? 'RealESRGAN x4plus’s network' : `a network of the family ${MODEL}`}, beside spandrel in PyTorch float32.`,
  async (results) => {
    const folder = mkdtempSync(join(tmpdir(), 'latentd-upscale-'));
    const path = join(folder, 'model.safetensors');
    writeModel(path);
    const programs = createProgramCache(createOnnxBackend({ threads: THREADS }));
    const upscaler = createUpscaler(safetensorsWeights(openModelFile(path)), programs);
    const picture = tensor([1, SIDE, SIDE, 3]);
    picture.data.forEach((_, at) => {
      picture.data[at] = ((at * 7919) % 1000) / 1000;
    });
    const ours = async (): Promise<Turn> => {
      const started = performance.now();
      await upscaler.upscale(picture);
      return { ms: performance.now() - started, peak: ownPeak() };
    };
    const peer = startPeer(path);
    results.note('threads', THREADS);
    try {
      // The first turn loads and warms up.
      await peer?.turn();
      writeFileSync('/proc/self/clear_refs', '5');
      await ours();
      const turns: { readonly own: Turn; readonly other: Turn | undefined }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        turns.push({ other: await peer?.turn(), own: await ours() });
      }
      for (const [group, unit, of] of [
        ['one picture', 'ms', ({ ms }: Turn) => ms],
        ['peak memory of the process', 'B', ({ peak }: Turn) => peak],
      ] as const) {
        const before = turns.flatMap(({ other }) => (other === undefined ? [] : [of(other)]));
        const after = turns.map(({ own }) => of(own));
        if (before.length > 0) results.add({ group, name: 'spandrel', unit, samples: before });
        const ratio = before.length === 0 ? {} : { ratio: { to: 'spandrel', ...pairedRatio(before, after) } };
        results.add({ group, name: 'latentd', unit, samples: after, ...ratio });
      }
    } finally {
      peer?.stop();
      await programs.dispose();
      rmSync(folder, { recursive: true });
    }
  },
);
