/** What `latentd bench` shows on standard error while it measures: a line for each case, and a bar on a terminal. */
import { describeCase } from '../../bench/case.js';
import type { MeasureOptions } from '../../bench/measure-case.js';
import { Bar } from '../bar.js';
import { notice } from '../terminal.js';
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
  const bar = await Bar.open(stream);
  // A profiled case has a cold and a warm run more.
  const runs =
    plan.cases.length * (plan.cold + plan.warmup + plan.repeats) + (plan.profile === undefined ? 0 : 2);
  const startedAt = performance.now();
  let done = 0;
  const show = (): void => {
    const left = done === 0 ? 0 : ((performance.now() - startedAt) / 1000 / done) * (runs - done);
    bar.show(done, runs, {
      behind: `${done}/${runs} runs${left > 0 ? `, ${Math.ceil(left)} s left` : ''}`,
    });
  };
  return {
    peak: () => {
      notice("measuring the machine's peak");
    },
    case: (index) => {
      bar.stop();
      notice(`case ${index + 1} of ${plan.cases.length}: ${describeCase(plan.cases[index]!)}`);
      show();
    },
    run: () => {
      done++;
      show();
    },
    stop: () => {
      bar.stop();
    },
  };
}
