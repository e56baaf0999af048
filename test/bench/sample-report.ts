/** A report with times that were made up. */
import type { BenchCase } from '../../src/bench/case.js';
import type { CaseTimes } from '../../src/bench/measure-case.js';
import { reportCase, type BenchReport } from '../../src/bench/report.js';
import type { RunTimes, StageTime } from '../../src/bench/stages.js';

export const one: BenchCase = {
  checkpoint: 'sd15.safetensors',
  width: 512,
  height: 512,
  batch: 2,
  steps: 3,
  sampler: 'euler',
  scheduler: 'normal',
};
export const peak = { flops: 100e9, flopsBy: 'products', bandwidth: 10e9, bandwidthBy: 'sums' };
export const memory = { peak: 3e9, resident: 2e9, own: 1e9, mapped: 0.9e9 };
const time = (ms: number, flops = 0, bytes = 0): StageTime => ({ ms, flops, bytes });

/** A run whose steps take `step` milliseconds each, of 20 GFLOP and 1 GB. */
function run(step: number): RunTimes {
  return {
    totalMs: 100 + 3 * step + 500 + 60 + 5,
    stages: {
      'checkpoint open': time(5),
      'text encode': time(100, 1e9, 2e8),
      sampling: time(3 * step, 60e9, 3e9),
      'vae decode': time(500, 25e9, 1e9),
      png: time(60),
    },
    steps: [step - 10, step, step + 10].map((ms) => time(ms, 20e9, 1e9)),
    loads: [
      { name: 'clip_l', ms: 50, buildMs: 5 },
      { name: 'unet', ms: 400, buildMs: 20 },
    ],
  };
}

function times(step: number): CaseTimes {
  const steps = Array.from({ length: 6 }, (_, index) => step + index);
  return {
    cold: [1, 2].map((index) => {
      const first = run(step + 50 * index);
      return { ...first, readyMs: 200, wholeMs: first.totalMs + 650, diskBytes: index * 1e9, memory };
    }),
    warm: steps.map((ms) => ({ ...run(ms), cpuMs: 1.5 * run(ms).totalMs })),
    memory: { ...memory, peak: 4e9 },
    device: 'cpu',
  };
}

export function report(step: number, changes: Partial<BenchReport> = {}): BenchReport {
  return {
    version: 1,
    latentd: '0.1.0',
    date: '2026-01-02T03:04:05.678Z',
    machine: {
      processor: 'Example 9000',
      threads: 2,
      extensions: ['avx2'],
      memory: 16e9,
      load: 0.1,
      system: 'linux x64 6.1',
      node: '20.20.0',
    },
    peak,
    settings: { threads: null, precision: 'fp32', cold: 2, warmup: 1, repeats: 6 },
    cases: [reportCase(one, { family: 'sd1', dtype: 'F16', bytes: 2e9 }, times(step), peak)],
    ...changes,
  };
}
