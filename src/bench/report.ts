/** What a benchmark found, as `--json` writes it and `--compare` reads it. */
import { z } from 'zod';
import type { Cost } from '../compute/cost.js';
import { PRECISIONS } from '../config/settings.js';
import { caseKey, type BenchCase } from './case.js';
import { machineSchema } from './machine.js';
import type { CaseTimes } from './measure-case.js';
import type { ColdRun, WarmRun } from './messages.js';
import { peakSchema, type Peak } from './peak.js';
import { processMemorySchema } from './process-memory.js';
import type { NodeStage, RunTimes, StageTime } from './stages.js';
import { median, summarize } from './statistics.js';

/** Of the format; a reader refuses others. */
export const REPORT_VERSION = 1;

const summarySchema = z.object({
  count: z.number(),
  min: z.number(),
  p50: z.number(),
  p95: z.number(),
  max: z.number(),
});

const stageSchema = z.object({
  /** `cold`: in a new process, with nothing loaded. `warm`: with models loaded, results not. */
  phase: z.enum(['cold', 'warm']),
  name: z.string(),
  /** Milliseconds. Of `step`, all steps of all runs. */
  summary: summarySchema,
  /** Milliseconds, one for each run: what is compared. Of `step`, each run's median. */
  samples: z.array(z.number()),
  /** What there was to do, counted from the graphs that ran; absent where none did. */
  flops: z.number().optional(),
  bytes: z.number().optional(),
  /** Of the machine's peaks, in the median run: 1 is all of it. */
  computeShare: z.number().optional(),
  bandwidthShare: z.number().optional(),
});
export type StageReport = Readonly<z.infer<typeof stageSchema>>;

const modelSchema = z.object({
  family: z.string().optional(),
  dtype: z.string().optional(),
  /** Of the file. */
  bytes: z.number(),
});
export type ModelDescription = Readonly<z.infer<typeof modelSchema>>;

const caseSchema = z.object({
  case: z.object({
    checkpoint: z.string(),
    width: z.number(),
    height: z.number(),
    batch: z.number(),
    steps: z.number(),
    sampler: z.string(),
    scheduler: z.string(),
  }),
  model: modelSchema,
  device: z.string(),
  stages: z.array(stageSchema),
  /** Milliseconds of each sampling step of each warm run. */
  steps: z.array(z.array(z.number())),
  /** Of warm runs. */
  imagesPerMinute: z.number(),
  /** Processor time over wall time of the median warm run: how many processors it kept busy. */
  processors: z.number().optional(),
  memory: z.object({
    /** Of the process with one run, and after all of them. */
    cold: processMemorySchema,
    warm: processMemorySchema,
    /** Bytes of the device's own memory; null where there is none. */
    gpu: z.number().nullable(),
  }),
  /** Bytes that each cold run read from disk: the checkpoint's size where it wasn't in the file cache. */
  diskBytes: z.array(z.number()),
});
export type CaseReport = Readonly<z.infer<typeof caseSchema>>;

export const reportSchema = z.object({
  version: z.literal(REPORT_VERSION),
  latentd: z.string(),
  date: z.string(),
  machine: machineSchema,
  peak: peakSchema,
  settings: z.object({
    threads: z.number().nullable(),
    /** Of denoisers. */
    precision: z.enum(PRECISIONS).default('fp32'),
    cold: z.number(),
    warmup: z.number(),
    repeats: z.number(),
  }),
  cases: z.array(caseSchema),
});
export type BenchReport = Readonly<z.infer<typeof reportSchema>>;

/** Reads a report's JSON. Throws `ReportError` naming `source` for anything else. */
export function parseReport(json: string, source: string): BenchReport {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ReportError(`${source} is no JSON: ${(error as Error).message}`);
  }
  const { success, data, error } = reportSchema.safeParse(value);
  if (success) return data;
  throw new ReportError(`${source} is no report of \`latentd bench --json\`: ${z.prettifyError(error)}`);
}

export class ReportError extends Error {
  override readonly name = 'ReportError';
}

/** A case's times, summarised; shares are of `peak`. */
export function reportCase(
  one: BenchCase,
  model: ModelDescription,
  times: CaseTimes,
  peak: Peak,
): CaseReport {
  const { cold, warm, memory, device } = times;
  const middle = warm.length === 0 ? undefined : median(warm.map(({ totalMs }) => totalMs));
  const cpu = warm.length === 0 ? undefined : median(warm.map(({ cpuMs }) => cpuMs));
  return {
    case: one,
    model,
    device,
    stages: [...coldStages(times, peak), ...warmStages(times, peak)],
    steps: warm.map(({ steps }) => steps.map(({ ms }) => ms)),
    imagesPerMinute: (one.batch * 60_000) / (middle ?? median(cold.map(({ totalMs }) => totalMs))),
    ...(middle === undefined || cpu === undefined ? {} : { processors: cpu / middle }),
    memory: { cold: cold[0]!.memory, warm: memory, gpu: null },
    diskBytes: cold.map(({ diskBytes }) => diskBytes),
  };
}

/** The case of `report` that is the same as `one`. */
export function findCase(report: BenchReport, one: BenchCase): CaseReport | undefined {
  return report.cases.find((other) => caseKey(other.case) === caseKey(one));
}

/** Stages of a warm run, and of a cold one after its models were loaded. */
const WORK = ['text encode', 'sampling', 'vae decode', 'png'] as const satisfies readonly NodeStage[];

function coldStages({ cold }: CaseTimes, peak: Peak): StageReport[] {
  const stage = (name: string, timeOf: (run: ColdRun) => StageTime) =>
    stageOf('cold', name, cold.map(timeOf), peak);
  const loads = [...new Set(cold.flatMap((run) => run.loads.map(({ name }) => name)))];
  return [
    stage('start', ({ readyMs }) => withoutWork(readyMs)),
    stage('checkpoint open', ({ stages }) => stages['checkpoint open']),
    ...loads.map((name) =>
      stage(`load ${name}`, (run) => withoutWork(run.loads.find((load) => load.name === name)?.ms ?? 0)),
    ),
    ...WORK.map((name) => stage(name, ({ stages }) => stages[name])),
    stage('total', (run) => ({ ...workOf(run), ms: run.wholeMs })),
  ];
}

function warmStages({ warm }: CaseTimes, peak: Peak): StageReport[] {
  if (warm.length === 0) return [];
  const stage = (name: string, timeOf: (run: WarmRun) => StageTime) =>
    stageOf('warm', name, warm.map(timeOf), peak);
  const step = stageOf(
    'warm',
    'step',
    warm.flatMap(({ steps }) => steps),
    peak,
  );
  // Steps of one run are no independent samples of a change.
  const samples = warm.map(({ steps }) => median(steps.map(({ ms }) => ms)));
  return [
    ...WORK.map((name) => stage(name, ({ stages }) => stages[name])),
    stage('total', (run) => ({ ...workOf(run), ms: run.totalMs })),
  ].flatMap((each) => (each.name === 'sampling' ? [{ ...step, samples }, each] : [each]));
}

function withoutWork(ms: number): StageTime {
  return { ms, flops: 0, bytes: 0 };
}

/** What all stages together had to do. */
function workOf({ stages }: RunTimes): Cost {
  const times = Object.values(stages);
  return {
    flops: times.reduce((sum, { flops }) => sum + flops, 0),
    bytes: times.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function stageOf(
  phase: StageReport['phase'],
  name: string,
  times: readonly StageTime[],
  peak: Peak,
): StageReport {
  const samples = times.map(({ ms }) => ms);
  const summary = summarize(samples);
  const flops = median(times.map((time) => time.flops));
  const bytes = median(times.map((time) => time.bytes));
  if (flops === 0) return { phase, name, summary, samples };
  const seconds = summary.p50 / 1000;
  return {
    phase,
    name,
    summary,
    samples,
    flops,
    bytes,
    computeShare: flops / seconds / peak.flops,
    bandwidthShare: bytes / seconds / peak.bandwidth,
  };
}
