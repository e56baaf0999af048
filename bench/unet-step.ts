/**
 * One step with guidance at 256×256 of a full-size UNet: our kernels of the instruction sets that the processor has, in fp32 and bf16, beside
 * ComfyUI's UNet in torch's float32 and bfloat16 where COMFY names it (as `end-to-end.ts` says, and CHECKPOINT a file), else beside a plain
 * export to ONNX Runtime's own operators. SIDE (32) is the latent's, ROUNDS (7) how often each takes its turn.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Backend, NamedTensors } from '../src/compute/backend.js';
import { bindDims, graphCost } from '../src/compute/cost.js';
import type { Graph } from '../src/compute/graph.js';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../src/compute/onnx/plain/backend.js';
import { pairedRatio } from '../src/bench/statistics.js';
import { hasFastBf16 } from '../src/native/addon.js';
import { ROOT } from '../test/cli/latentd.js';
import { comparison } from './harness/comparison.js';
import { evaluation, fullUnet } from './harness/full-unet.js';
import type { Results } from './harness/results.js';

const { env } = process;
const threads = availableParallelism();
const side = Number(env['SIDE'] ?? 32);
const rounds = Number(env['ROUNDS'] ?? 7);

interface Times {
  readonly ms: number;
  /** Of all threads. */
  readonly cpuMs: number;
}

interface Contender {
  readonly name: string;
  step(): Promise<Times>;
}

async function ours(name: string, backend: Backend, graph: Graph, inputs: NamedTensors): Promise<Contender> {
  const program = await backend.load(graph);
  return {
    name,
    async step() {
      const before = process.cpuUsage();
      const started = performance.now();
      await program.run(inputs);
      const ms = performance.now() - started;
      const { user, system } = process.cpuUsage(before);
      return { ms, cpuMs: (user + system) / 1000 };
    },
  };
}

/** ComfyUI's UNet in a process of its own, which ends with this one. */
async function theirs(checkpoint: string): Promise<readonly Contender[]> {
  const script = join(ROOT, 'tools/reference/unet_step.py');
  const child = spawn(env['PYTHON'] ?? 'python3', [script, checkpoint, String(side), String(threads)], {
    env: { TINY: '0', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const nextLine = async () => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${script} has ended`);
    return line.value;
  };
  await nextLine();
  return (['float32', 'bfloat16'] as const).map((dtype) => ({
    name: `ComfyUI, ${dtype}`,
    async step() {
      child.stdin.write(`${dtype}\n`);
      return JSON.parse(await nextLine()) as Times;
    },
  }));
}

async function takeTurns(results: Results, contenders: readonly Contender[]): Promise<void> {
  const times = contenders.map((): Times[] => []);
  // The first round, in which caches fill, doesn't count.
  for (let round = -1; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const each = await contender.step();
      if (round >= 0) times[index]!.push(each);
    }
  }
  const [first] = contenders;
  for (const [group, of] of [
    ['a step', ({ ms }: Times) => ms],
    ['a step, processor time of all threads', ({ cpuMs }: Times) => cpuMs],
  ] as const) {
    contenders.forEach(({ name }, index) => {
      const samples = times[index]!.map(of);
      const ratio = { to: first!.name, ...pairedRatio(times[0]!.map(of), samples) };
      results.add({ group, name, unit: 'ms', samples, ...(index === 0 ? {} : { ratio }) });
    });
  }
}

comparison('unet-step', 'One evaluation of a full-size UNet for two prompts at 256×256.', async (results) => {
  const unet = fullUnet();
  const graph = unet.buildGraph();
  const inputs = evaluation(graph, side);
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
  const { flops } = graphCost(graph, bindDims(graph, shapes));
  results.note('checkpoint', unet.name);
  results.note('threads', threads);
  results.note('work', `${(flops / 1e9).toFixed(0)} GFLOP`);
  const checkpoint = env['COMFY'] === undefined ? undefined : env['CHECKPOINT'];
  const peers =
    checkpoint === undefined
      ? [await ours('plain export', createPlainOnnxBackend({ threads }), graph, inputs)]
      : await theirs(checkpoint);
  const own = [
    ['our kernels', createOnnxBackend({ threads })],
    ...(hasFastBf16()
      ? [['our kernels, bf16', createOnnxBackend({ threads, precision: 'bf16' })] as const]
      : []),
    ['our kernels, AVX2', createOnnxBackend({ threads, kernels: 'avx2' })],
  ] as const;
  const loaded: Contender[] = [];
  for (const [name, backend] of own) loaded.push(await ours(name, backend, graph, inputs));
  await takeTurns(results, [...peers, ...loaded]);
});
