/** A report as tables for a terminal. */
import { describeCase } from '../../bench/case.js';
import type { ReportComparison, StageComparison } from '../../bench/compare.js';
import type { BenchReport, CaseReport, StageReport } from '../../bench/report.js';
import { median } from '../../bench/statistics.js';
import { formatTable } from '../table.js';
import { formatBytes } from '../terminal.js';
import { formatChange, formatRate, formatShare, formatTime } from './figures.js';

export function reportText(report: BenchReport): string {
  const { machine, peak, settings } = report;
  const threads = settings.threads ?? machine.threads;
  return [
    `latentd ${report.latentd}, ${machine.processor}, ${threads} of ${machine.threads} threads, ${settings.precision}, ${machine.extensions.join(' ')}`,
    `peak, measured: ${formatRate(peak.flops, 'FLOP')} (${peak.flopsBy})`,
    `                ${formatRate(peak.bandwidth, 'B')} (${peak.bandwidthBy})`,
    ...busyWarning(report),
    ...report.cases.flatMap((one) => ['', ...caseLines(one, report)]),
  ].join('\n');
}

/** Timings of a busy machine are of little use; nobody should find out later. */
function busyWarning({ machine }: BenchReport): string[] {
  const { load, threads } = machine;
  return load <= threads * 0.5
    ? []
    : [
        `! the machine is busy with other things: a load of ${load.toFixed(1)} on ${threads} threads; these times are not its best`,
      ];
}

function caseLines(one: CaseReport, { settings }: BenchReport): string[] {
  const { model, memory } = one;
  const about = [model.family, model.dtype, formatBytes(model.bytes)].filter((text) => text !== undefined);
  const runs = (count: number) => `${count} ${count === 1 ? 'run' : 'runs'}`;
  const heading = ['p50', 'p95', 'min', 'FLOP/s', 'of peak', 'of bandwidth'];
  return [
    `${describeCase(one.case)} · ${about.join(' ')} · on the ${one.device}`,
    alignedTable([
      [`cold, ${runs(settings.cold)}`, ...heading],
      ...stageRows(one.stages, 'cold'),
      [`warm, ${runs(settings.repeats)} after ${settings.warmup}`],
      ...stageRows(one.stages, 'warm'),
    ]),
    ...stepLines(one),
    [
      `${one.imagesPerMinute.toFixed(2)} images/min`,
      ...(one.processors === undefined ? [] : [`${one.processors.toFixed(1)} processors busy`]),
    ].join(' · '),
    `memory: ${formatBytes(memory.cold.peak)} at most in one run, ${formatBytes(memory.warm.peak)} in all; now ` +
      `${formatBytes(memory.warm.resident)}, ${formatBytes(memory.warm.own)} of it its own, the rest mapped files · ` +
      (memory.gpu === null ? 'no GPU' : `GPU ${formatBytes(memory.gpu)}`),
    ...diskLine(one),
  ];
}

function stageRows(stages: readonly StageReport[], phase: StageReport['phase']): string[][] {
  return stages
    .filter((stage) => stage.phase === phase)
    .map(({ name, summary, flops, computeShare, bandwidthShare }) => [
      `  ${name}`,
      ...[summary.p50, summary.p95, summary.min].map(formatTime),
      flops === undefined ? '' : formatRate(flops / (summary.p50 / 1000), 'FLOP'),
      computeShare === undefined ? '' : formatShare(computeShare),
      bandwidthShare === undefined ? '' : formatShare(bandwidthShare),
    ]);
}

const MOST_STEPS = 20;

/** The median of each step over the runs. */
function stepLines({ steps }: CaseReport): string[] {
  const count = steps[0]?.length ?? 0;
  if (count < 2) return [];
  const medians = Array.from({ length: count }, (_, index) => median(steps.map((run) => run[index]!)));
  const shown = medians.slice(0, MOST_STEPS).map(formatTime).join('  ');
  return [`steps: ${shown}${count > MOST_STEPS ? `  … (${count} in all)` : ''}`];
}

/** A cold run that waits for a disk says so: it can't be compared with one that didn't. */
function diskLine({ diskBytes, model }: CaseReport): string[] {
  const slow = diskBytes.filter((bytes) => bytes > model.bytes / 20);
  return slow.length === 0
    ? []
    : [
        `! ${slow.length} of ${diskBytes.length} cold runs read from disk, ${formatBytes(Math.max(...slow))}: the file was not in memory`,
      ];
}

export function comparisonText({ cases, cautions }: ReportComparison): string {
  return [
    'compared with the earlier report',
    ...cautions.map((text) => `! ${text}`),
    ...cases.flatMap(({ case: one, stages }) => [
      describeCase(one),
      alignedTable([
        ['', 'before', 'now', 'change', '95 % interval', 'p', ''],
        ...stages.map((stage) => comparisonRow(stage)),
      ]),
    ]),
    'p: Mann–Whitney, corrected (Holm) for the number of stages; a change of less than 1 % counts as none',
  ].join('\n');
}

function comparisonRow(stage: StageComparison): string[] {
  const { interval, p } = stage;
  return [
    `  ${stage.phase} ${stage.name}`,
    formatTime(stage.before),
    formatTime(stage.after),
    formatChange(stage.ratio),
    `${formatChange(interval.low)} … ${formatChange(interval.high)}`,
    p < 0.001 ? '<0.001' : p.toFixed(3),
    stage.verdict,
  ];
}

/** The first column to the left and the last of full rows as it comes, the others to the right. */
function alignedTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  }
  return formatTable(
    rows.map((row) => row.map((cell, column) => (column === 0 ? cell : cell.padStart(widths[column] ?? 0)))),
    Infinity,
  );
}
