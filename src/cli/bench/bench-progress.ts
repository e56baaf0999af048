/** What `latentd bench` shows on standard error while it measures: a bar on a terminal, else a line for each case. */
import { describeCase } from '../../bench/case.js';
import type { MeasureOptions } from '../../bench/measure-case.js';
import { report } from '../terminal.js';
import type { BenchPlan } from './bench-plan.js';

type Phase = Parameters<NonNullable<MeasureOptions['onRun']>>[0];

export interface BenchProgress {
  peak(): void;
  case(index: number): void;
  run(phase: Phase): void;
  stop(): void;
}

export async function createBenchProgress(
  stream: NodeJS.WriteStream,
  plan: BenchPlan,
): Promise<BenchProgress> {
  const lines: BenchProgress = {
    peak: () => {
      report("measuring the machine's peak");
    },
    case: (index) => {
      report(`case ${index + 1} of ${plan.cases.length}: ${describeCase(plan.cases[index]!)}`);
    },
    run: () => undefined,
    stop: () => undefined,
  };
  if (!stream.isTTY) return lines;
  const { SingleBar } = await import('cli-progress');
  const bar = new SingleBar({
    stream,
    format: '{bar} {value}/{total} runs, {eta_formatted} left',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
  });
  // A profiled case has a cold and a warm run more.
  const runs =
    plan.cases.length * (plan.cold + plan.warmup + plan.repeats) + (plan.profile === undefined ? 0 : 2);
  let done = 0;
  return {
    peak: () => {
      lines.peak();
    },
    case: (index) => {
      bar.stop();
      lines.case(index);
      bar.start(runs, done);
    },
    run: () => {
      bar.update(++done);
    },
    stop: () => {
      bar.stop();
    },
  };
}
