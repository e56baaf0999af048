/** Two reports side by side: what of them can be compared, what came of it, and why to be careful. */
import { describeCase, type BenchCase } from './case.js';
import { findCase, type BenchReport, type StageReport } from './report.js';
import { median } from './statistics.js';
import { comparePairs, type Comparison } from './verdict.js';

export interface StageComparison extends Comparison {
  readonly phase: StageReport['phase'];
  readonly name: string;
  /** Medians in milliseconds. */
  readonly before: number;
  readonly after: number;
}

export interface CaseComparison {
  readonly case: BenchCase;
  readonly stages: readonly StageComparison[];
}

export interface ReportComparison {
  readonly cases: readonly CaseComparison[];
  /** What makes the two hard to compare: another processor, other threads, a machine that was slower itself. */
  readonly cautions: readonly string[];
}

/** The machine's own figures may differ by so much before it is said. */
const PEAK_TOLERANCE = 0.1;

export function compareReports(before: BenchReport, after: BenchReport): ReportComparison {
  const cases: CaseComparison[] = [];
  const missing: string[] = [];
  for (const one of after.cases) {
    const earlier = findCase(before, one.case);
    if (earlier === undefined) missing.push(describeCase(one.case));
    else cases.push({ case: one.case, stages: compareStages(earlier.stages, one.stages) });
  }
  return {
    cases,
    cautions: [...missing.map((text) => `the earlier report has no ${text}`), ...differences(before, after)],
  };
}

function compareStages(
  before: readonly StageReport[],
  after: readonly StageReport[],
): readonly StageComparison[] {
  const both = after.flatMap((stage) => {
    const earlier = before.find(({ phase, name }) => phase === stage.phase && name === stage.name);
    return earlier === undefined ? [] : [{ stage, earlier }];
  });
  // Corrected among warm stages and among cold ones: the latter are fewer and must not blunt the former.
  return (['cold', 'warm'] as const).flatMap((phase) => {
    const own = both.filter(({ stage }) => stage.phase === phase);
    const found = comparePairs(
      own.map(({ stage, earlier }) => ({ before: earlier.samples, after: stage.samples })),
    );
    return own.map(({ stage, earlier }, index) => ({
      phase,
      name: stage.name,
      before: median(earlier.samples),
      after: median(stage.samples),
      ...found[index]!,
    }));
  });
}

function differences(before: BenchReport, after: BenchReport): string[] {
  const found: string[] = [];
  if (before.machine.processor !== after.machine.processor) {
    found.push(`another processor: ${before.machine.processor}, now ${after.machine.processor}`);
  }
  const threads = ({ settings, machine }: BenchReport) => settings.threads ?? machine.threads;
  if (threads(before) !== threads(after)) {
    found.push(`another number of threads: ${threads(before)}, now ${threads(after)}`);
  }
  const [old, now] = [before.settings.precision, after.settings.precision];
  if (old !== now) found.push(`another precision: ${old}, now ${now}`);
  for (const [name, of] of [
    ['compute', ({ peak }: BenchReport) => peak.flops],
    ['memory bandwidth', ({ peak }: BenchReport) => peak.bandwidth],
  ] as const) {
    const ratio = of(after) / of(before);
    if (Math.abs(ratio - 1) > PEAK_TOLERANCE) {
      const change = `${Math.abs(100 * (ratio - 1)).toFixed(0)} % ${ratio < 1 ? 'lower' : 'higher'}`;
      found.push(`the machine's own peak of ${name} is ${change} than then`);
    }
  }
  for (const [when, { machine }] of [
    ['then', before],
    ['now', after],
  ] as const) {
    if (machine.load > machine.threads * 0.5) {
      found.push(
        `the machine was busy ${when}: a load of ${machine.load.toFixed(1)} on ${machine.threads} threads`,
      );
    }
  }
  return found;
}
