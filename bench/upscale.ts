/**
 * A picture of 256×256 through a network of RealESRGAN x4plus's size, beside spandrel (PyTorch, float32) in the same run, turn by
 * turn; `SIDE` takes another size. `SPANDREL` names the folder `libs/spandrel` of a checkout, `PYTHON` the Python that has torch; without them our own
 * figures stand alone.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pairedRatio } from '../src/bench/statistics.js';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { tensor } from '../src/compute/tensor.js';
import { openModelFile } from '../src/models/model-file.js';
import { createProgramCache } from '../src/models/program-cache.js';
import { safetensorsWeights } from '../src/models/safetensors-weights.js';
import { writeSyntheticCheckpoint, type Manifest } from '../src/models/synthetic.js';
import { createUpscaler } from '../src/models/upscale/upscaler.js';
import { comparison } from './harness/comparison.js';

const THREADS = 2;
const SIDE = Number(process.env['SIDE'] ?? 256);
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

/** spandrel in a process of its own; undefined where it isn't told of. */
function startPeer(
  model: string,
): { readonly turn: () => Promise<Turn>; readonly stop: () => void } | undefined {
  const { SPANDREL, PYTHON = 'python3' } = process.env;
  if (SPANDREL === undefined) return undefined;
  const script = fileURLToPath(new URL('../tools/reference/upscale_peer.py', import.meta.url));
  const child = spawn(PYTHON, [script, model, String(SIDE), String(THREADS)], {
    env: { ...process.env, PYTHONPATH: SPANDREL, OMP_NUM_THREADS: String(THREADS) },
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
  'upscale',
  `A picture of ${SIDE}×${SIDE} through RealESRGAN x4plus’s network, beside spandrel in PyTorch float32.`,
  async (results) => {
    const folder = mkdtempSync(join(tmpdir(), 'latentd-upscale-'));
    const path = join(folder, 'model.safetensors');
    writeSyntheticCheckpoint(realEsrgan(), path);
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
