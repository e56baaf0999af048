/**
 * One step with guidance at 256×256 of a full-size UNet: our kernels of the instruction sets that the processor has, beside a plain
 * export to ONNX Runtime's own operators.
 */
import { availableParallelism } from 'node:os';
import type { Backend } from '../src/compute/backend.js';
import { bindDims, graphCost } from '../src/compute/cost.js';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../src/compute/onnx/plain/backend.js';
import { evaluation, fullUnet } from './harness/full-unet.js';
import { comparison } from './harness/comparison.js';
import { contest } from './harness/contest.js';

comparison('unet-step', 'One evaluation of a full-size UNet for two prompts at 256×256.', async (results) => {
  const threads = availableParallelism();
  const unet = fullUnet();
  const graph = unet.buildGraph();
  const inputs = evaluation(graph, 32);
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
  const { flops } = graphCost(graph, bindDims(graph, shapes));
  results.note('checkpoint', unet.name);
  results.note('threads', threads);
  results.note('work', `${(flops / 1e9).toFixed(0)} GFLOP`);
  const backends: readonly (readonly [string, Backend])[] = [
    ['plain export', createPlainOnnxBackend({ threads })],
    ['our kernels', createOnnxBackend({ threads })],
    ['our kernels, AVX2', createOnnxBackend({ threads, kernels: 'avx2' })],
  ];
  const programs = await Promise.all(
    backends.map(async ([name, backend]) => ({ name, program: await backend.load(graph) })),
  );
  await contest(
    results,
    'a step',
    programs.map(({ name, program }) => ({ name, run: () => program.run(inputs) })),
    { rounds: 7, turn: 0 },
  );
  for (const { program } of programs) await program.dispose();
});
