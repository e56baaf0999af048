/**
 * Until a full-size UNet is ready to run, from a warm file cache, and the memory that it takes until then: our kernels, which use
 * weights where they lie, beside a plain export, whose weights are widened and handed to ONNX Runtime.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../src/compute/onnx/plain/backend.js';
import { fullUnet } from './harness/full-unet.js';
import { comparison } from './harness/comparison.js';
import { contest } from './harness/contest.js';

const THREADS = 2;

/** Bytes that this process had resident at most since the last call; Linux forgets the peak on demand. */
function peakSinceLast(): number {
  const kilobytes = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  writeFileSync('/proc/self/clear_refs', '5');
  return kilobytes * 1024;
}

comparison(
  'session-creation',
  'Until a full-size UNet is ready to run, from a warm file cache, and the process’s peak memory meanwhile.',
  async (results) => {
    const unet = fullUnet();
    results.note('checkpoint', unet.name);
    results.note('threads', THREADS);
    const graph = unet.buildGraph();
    const peaks = new Map<string, number[]>();
    const contender = (name: string, backend: ReturnType<typeof createOnnxBackend>) => ({
      name,
      run: async () => {
        peakSinceLast();
        const program = await backend.load(graph);
        await program.dispose();
        peaks.set(name, [...(peaks.get(name) ?? []), peakSinceLast()]);
      },
    });
    const contenders = [
      contender('plain export', createPlainOnnxBackend({ threads: THREADS })),
      contender('our kernels', createOnnxBackend({ threads: THREADS })),
    ];
    await contest(results, 'ready to run', contenders, { rounds: 3, turn: 0, warmup: 0 });
    for (const [name, samples] of peaks) results.add({ group: 'peak memory', name, unit: 'B', samples });
  },
);
