/**
 * One step with guidance at 256×256 of a full-size UNet: our kernels of each instruction set that the processor has, beside a
 * plain export to ONNX Runtime's own operators. Milliseconds a step. ComfyUI's own step is in docs/compute.md.
 * `CHECKPOINT=… npx vitest bench --run bench/unet-step.ts`
 */
import { availableParallelism } from 'node:os';
import { bench, describe } from 'vitest';
import type { Backend, Program } from '../src/compute/backend.js';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../src/compute/onnx/plain/backend.js';
import { buildGraph, evaluation } from './full-unet.js';

const threads = availableParallelism();
const graph = buildGraph();
const inputs = evaluation(graph, 32);

const backends: readonly (readonly [string, Backend])[] = [
  ['our kernels', createOnnxBackend({ threads })],
  ['our kernels, AVX2', createOnnxBackend({ threads, kernels: 'avx2' })],
  ['plain export', createPlainOnnxBackend({ threads })],
];

describe(`a UNet's step on ${threads} threads`, () => {
  for (const [name, backend] of backends) {
    let program: Program | undefined;
    bench(
      name,
      async () => {
        await program!.run(inputs);
      },
      {
        iterations: 5,
        time: 0,
        warmupIterations: 1,
        warmupTime: 0,
        async setup(_, mode) {
          if (mode === 'warmup') program = await backend.load(graph);
        },
        async teardown(_, mode) {
          if (mode === 'run') await program?.dispose();
        },
      },
    );
  }
});
