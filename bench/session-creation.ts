/**
 * Until a full-size UNet is ready to run, from a warm file cache: our kernels, which read weights where they lie, beside a plain
 * export, whose weights are widened and handed to ONNX Runtime. Peak memory is read after each. Milliseconds a session.
 * `CHECKPOINT=… npx vitest bench --run bench/session-creation.ts`
 */
import { readFileSync } from 'node:fs';
import { bench, describe } from 'vitest';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../src/compute/onnx/plain/backend.js';
import { buildGraph } from './full-unet.js';

const graph = buildGraph();
const once = { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 };

function peakMegabytes(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}

describe('session creation', () => {
  // The plain one comes last, since a process's peak never falls.
  for (const [name, backend] of [
    ['our kernels', createOnnxBackend({ threads: 2 })],
    ['plain export', createPlainOnnxBackend({ threads: 2 })],
  ] as const) {
    bench(
      name,
      async () => {
        const program = await backend.load(graph);
        await program.dispose();
        console.log(`${name}: peak ${peakMegabytes().toFixed(0)} MB`);
      },
      once,
    );
  }
});
