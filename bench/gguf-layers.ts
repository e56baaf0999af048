/**
 * Linear layers of Flux's sizes over GGUF's blocks, where they lie in a file: our kernels, and ggml's mul_mat where GGML names a checkout of it
 * (or of llama.cpp's ggml folder) with a build in `build`. TOKENS (768: 256×256 pixels and 512 words) and ROUNDS (7) may be given.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pairedRatio } from '../src/bench/statistics.js';
import { GraphBuilder } from '../src/compute/graph.js';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { tensor } from '../src/compute/tensor.js';
import type { StoredDType, Weight } from '../src/compute/weight.js';
import { hasFastBf16, MappedFile } from '../src/native/addon.js';
import { bytesOf, dtypes } from '../src/native/dtypes.js';
import { ROOT } from '../test/cli/latentd.js';
import { comparison } from './harness/comparison.js';

const { env } = process;
const THREADS = 2;
const tokens = Number(env['TOKENS'] ?? 768);
const rounds = Number(env['ROUNDS'] ?? 7);

/** Rows and columns: qkv, the two feed-forward layers, and what single blocks begin with. */
const SIZES = [
  [9216, 3072],
  [12288, 3072],
  [3072, 12288],
  [21504, 3072],
] as const;
const TYPES = ['Q4_K', 'Q8_0'] as const;

interface Times {
  readonly ms: number;
  /** Of all threads. */
  readonly cpuMs: number;
}

interface Contender {
  readonly name: string;
  /** A layer's product; the first call of a size prepares it. */
  run(type: (typeof TYPES)[number], rows: number, columns: number): Promise<Times>;
}

/** A file of blocks: float16 scales of 2⁻¹⁰ at their places, all other bits at random. */
function weightOf(folder: string, type: StoredDType, rows: number, columns: number): Weight {
  const path = join(folder, `${type}-${rows}-${columns}`);
  const bytes = new Uint8Array(bytesOf(type, rows * columns));
  let state = 1;
  for (let at = 0; at < bytes.length; at++) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    bytes[at] = state >>> 16;
  }
  const { blockBytes } = dtypes[type];
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < bytes.length; block += blockBytes) {
    view.setUint16(block, 0x1400, true);
    if (type === 'Q4_K') view.setUint16(block + 2, 0x1400, true);
  }
  writeFileSync(path, bytes);
  const file = new MappedFile(path);
  return {
    name: 'weight',
    shape: [rows, columns],
    stored: { file, offset: 0, dtype: type },
    read: (into) => {
      file.widen(0, type, into);
    },
  };
}

function ours(name: string, folder: string, options: Parameters<typeof createOnnxBackend>[0]): Contender {
  const backend = createOnnxBackend({ threads: THREADS, ...options });
  const programs = new Map<string, () => Promise<unknown>>();
  async function open(type: StoredDType, rows: number, columns: number): Promise<() => Promise<unknown>> {
    const graph = new GraphBuilder('layer', { mayRound: true });
    graph.output(
      'y',
      graph.linear(graph.input('x', [1, tokens, columns]), weightOf(folder, type, rows, columns)),
    );
    const program = await backend.load(graph.build());
    const data = Float32Array.from({ length: tokens * columns }, (_, index) => Math.sin(index * 12.9898));
    const x = tensor([1, tokens, columns], data);
    return () => program.run({ x });
  }
  return {
    name,
    async run(type, rows, columns) {
      const key = `${type} ${rows} ${columns}`;
      const call = programs.get(key) ?? (await open(type, rows, columns));
      programs.set(key, call);
      const before = process.cpuUsage();
      const started = performance.now();
      await call();
      const ms = performance.now() - started;
      const { user, system } = process.cpuUsage(before);
      return { ms, cpuMs: (user + system) / 1000 };
    },
  };
}

/** ggml in a process of its own, which ends with this one; its weights repacked for the processor, or as they lie in a file. */
function ggml(checkout: string, folder: string, lying: boolean): Contender {
  const program = join(folder, 'ggml_mul_mat');
  const built = join(checkout, 'build/src');
  const libraries = ['-lggml', '-lggml-base', '-lggml-cpu', `-Wl,-rpath,${built}`];
  const source = join(ROOT, 'tools/reference/ggml_mul_mat.cc');
  const flags = ['-O2', '-std=c++17', '-I', join(checkout, 'include'), source, '-L', built, ...libraries];
  execFileSync(env['CXX'] ?? 'c++', [...flags, '-o', program]);
  const child = spawn(program, [String(THREADS), ...(lying ? ['lying'] : [])], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    name: lying ? 'ggml, weights as they lie' : 'ggml',
    async run(type, rows, columns) {
      child.stdin.write(`${type.replace('Q', 'q')} ${rows} ${columns} ${tokens}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`${program} has ended`);
      return JSON.parse(line.value) as Times;
    },
  };
}

comparison('gguf-layers', 'Linear layers of Flux’s sizes over GGUF’s blocks.', async (results) => {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-bench-gguf-'));
  try {
    const checkout = env['GGML'];
    results.note('threads', THREADS);
    results.note('tokens', tokens);
    const contenders = [
      ...(checkout === undefined ? [] : [ggml(checkout, folder, false), ggml(checkout, folder, true)]),
      ours('our kernels', folder, {}),
      ...(hasFastBf16() ? [ours('our kernels, bf16', folder, { precision: 'bf16' })] : []),
      ours('our kernels, AVX2', folder, { kernels: 'avx2' }),
    ];
    for (const type of TYPES) {
      for (const [rows, columns] of SIZES) {
        const times = contenders.map((): Times[] => []);
        // The first round prepares, and doesn't count.
        for (let round = -1; round < rounds; round++) {
          for (const [index, contender] of contenders.entries()) {
            const each = await contender.run(type, rows, columns);
            if (round >= 0) times[index]!.push(each);
          }
        }
        for (const [what, of] of [
          ['', ({ ms }: Times) => ms],
          [', processor time', ({ cpuMs }: Times) => cpuMs],
        ] as const) {
          const first = times[0]!.map(of);
          contenders.forEach(({ name }, index) => {
            const samples = times[index]!.map(of);
            const ratio = { to: contenders[0]!.name, ...pairedRatio(first, samples) };
            const group = `${type}, ${columns} → ${rows}${what}`;
            results.add({ group, name, unit: 'ms', samples, ...(index === 0 ? {} : { ratio }) });
          });
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
