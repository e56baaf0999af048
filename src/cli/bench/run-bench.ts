/** From a command line to a report: cases, machine, measurements, and where they are written. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { BenchCase } from '../../bench/case.js';
import { compareReports } from '../../bench/compare.js';
import { describeMachine } from '../../bench/machine.js';
import { CaseError } from '../../bench/matrix.js';
import { BenchError, measureCase } from '../../bench/measure-case.js';
import { measurePeak, type Peak } from '../../bench/peak.js';
import {
  parseReport,
  REPORT_VERSION,
  reportCase,
  ReportError,
  type BenchReport,
  type CaseReport,
} from '../../bench/report.js';
import { createOnnxBackend } from '../../compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../../compute/onnx/plain/backend.js';
import { settingValues } from '../../config/resolve-settings.js';
import type { Settings } from '../../config/settings.js';
import { ModelError } from '../../models/model-error.js';
import type { BenchFlags } from './flags.js';
import { checkDevice } from '../check-device.js';
import { EXIT, UsageError } from '../exit-codes.js';
import { inspectModel } from '../inspect-model.js';
import { folderOptions, openFolders } from '../open-folders.js';
import { packageVersion } from '../package-version.js';
import { settingsFrom } from '../setting-options.js';
import { printJson, printLines, report as tell } from '../terminal.js';
import { createBenchProgress } from './bench-progress.js';
import { readPlan, type BenchPlan } from './bench-plan.js';
import { renderHtml } from './html.js';
import { comparisonText, reportText } from './table.js';

/** Measures and reports; returns the exit code. Throws `UsageError` and `ConfigError` for what can't be measured. */
export async function runBench(options: BenchFlags, signal: AbortSignal): Promise<number> {
  try {
    await measureAndReport(options, signal);
    return EXIT.done;
  } catch (error) {
    if (error instanceof CaseError || error instanceof ReportError || error instanceof ModelError) {
      throw new UsageError(error.message);
    }
    if (error instanceof BenchError) tell(`latentd: ${error.message}`);
    else if (!signal.aborted) throw error;
    return EXIT.failed;
  }
}

async function measureAndReport(options: BenchFlags, signal: AbortSignal): Promise<void> {
  const { settings } = await settingsFrom(options);
  checkDevice(settings);
  if (settings.device.value.includes('cuda')) {
    throw new UsageError(
      `${settings.device.from}: bench measures the CPU; for a card there is npm run bench:cuda`,
    );
  }
  const values = settingValues(settings);
  const folders = await openFolders(values);
  // Read first, so that nothing is measured in vain.
  const before = options.compare === undefined ? undefined : readReport(options.compare);
  const plan = readPlan(options, folders, settings);

  const report = await measure(plan, values, signal);
  const comparison = before && compareReports(before, report);
  if (options.json === '-') printJson(report);
  else {
    printLines(reportText(report));
    if (comparison !== undefined) printLines(`\n${comparisonText(comparison)}`);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (options.html !== undefined) writeFileSync(options.html, renderHtml(report, comparison));
}

async function measure(plan: BenchPlan, settings: Settings, signal: AbortSignal): Promise<BenchReport> {
  const folders = await openFolders(settings);
  const { threads, memoryLimit, precision } = settings;
  const { cold, warmup, repeats } = plan;
  const machine = describeMachine();
  const progress = await createBenchProgress(process.stderr, plan);
  try {
    progress.peak();
    const peak = await machinePeak(threads, precision);
    const cases: CaseReport[] = [];
    for (const [index, one] of plan.cases.entries()) {
      progress.case(index);
      const times = await measureCase(one, {
        folders: await folderOptions(settings),
        threads,
        memoryLimit,
        precision,
        cold,
        warmup,
        repeats,
        signal,
        // One trace: that of the first case.
        ...(plan.profile === undefined || index > 0 ? {} : { trace: plan.profile }),
        onRun: (phase) => {
          progress.run(phase);
        },
      });
      cases.push(reportCase(one, describeModel(folders, one), times, peak));
    }
    return {
      version: REPORT_VERSION,
      latentd: packageVersion(),
      date: new Date().toISOString(),
      machine,
      peak,
      settings: { threads: threads ?? null, precision, cold, warmup, repeats },
      cases,
    };
  } finally {
    progress.stop();
  }
}

function machinePeak(threads: number | undefined, precision: Settings['precision']): Promise<Peak> {
  const options = threads === undefined ? {} : { threads };
  const name = precision === 'fp32' ? "latentd's kernels" : `latentd's kernels in ${precision}`;
  return measurePeak([
    { name, backend: createOnnxBackend({ ...options, precision }) },
    { name: "ONNX Runtime's MatMul", backend: createPlainOnnxBackend(options) },
  ]);
}

function describeModel(folders: Parameters<typeof inspectModel>[0], { checkpoint }: BenchCase) {
  const { family, dtype, size } = inspectModel(folders, 'checkpoints', checkpoint);
  return {
    ...(family === undefined ? {} : { family }),
    ...(dtype === undefined ? {} : { dtype }),
    bytes: size,
  };
}

function readReport(file: string): BenchReport {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--compare: ${error instanceof Error ? error.message : String(error)}`);
  }
  return parseReport(text, file);
}
