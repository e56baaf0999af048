/** A report as one page that needs nothing else: no scripts, no fonts, no pictures from elsewhere. */
import { describeCase, distinguish } from '../../bench/case.js';
import type { ReportComparison, StageComparison } from '../../bench/compare.js';
import type { BenchReport, CaseReport, StageReport } from '../../bench/report.js';
import { formatBytes } from '../terminal.js';
import { bars, changes, dots, stackedBars, stepLines } from './charts.js';
import { formatChange, formatCount, formatRate, formatShare, formatTime } from './figures.js';
import { element, escaped, type Markup } from './markup.js';
import { PAGE_STYLE } from './page-style.js';

export function renderHtml(report: BenchReport, comparison?: ReportComparison): string {
  const all = report.cases.map((one) => one.case);
  const page = element(
    'html',
    { lang: 'en' },
    element(
      'head',
      {},
      '<meta charset="utf-8"><meta name="viewport" content="width=device-width">' as Markup,
      element('title', {}, escaped(`latentd bench, ${report.date.slice(0, 10)}`)),
      element('style', {}, PAGE_STYLE as Markup),
    ),
    element(
      'body',
      {},
      heading(report),
      comparison === undefined ? [] : comparisonSection(comparison),
      report.cases.length < 2 ? [] : overview(report.cases),
      report.cases.map((one) => caseSection(one, distinguish(one.case, all))),
    ),
  );
  return `<!doctype html>\n${page}\n`;
}

function paragraph(text: string, attributes: Readonly<Record<string, string>> = {}): Markup {
  return element('p', attributes, escaped(text));
}

function titled(title: string, ...content: readonly Markup[]): Markup {
  return element('section', {}, element('h3', {}, escaped(title)), content);
}

function heading({ latentd, date, machine, peak, settings }: BenchReport): Markup[] {
  const threads = settings.threads ?? machine.threads;
  const busy = machine.load > machine.threads * 0.5;
  return [
    element('h1', {}, escaped('latentd bench')),
    paragraph(`latentd ${latentd}, ${date.replace('T', ' ').slice(0, 16)} UTC`),
    paragraph(
      `${machine.processor}, ${threads} of ${machine.threads} threads, ${settings.precision} (${machine.extensions.join(' ')}), ${formatBytes(machine.memory)}, ${machine.system}, Node.js ${machine.node}`,
    ),
    paragraph(
      `Measured peaks: ${formatRate(peak.flops, 'FLOP')} (${peak.flopsBy}) and ${formatRate(peak.bandwidth, 'B')} (${peak.bandwidthBy}).`,
    ),
    ...(busy
      ? [
          paragraph(
            `The machine was busy with other things: a load of ${machine.load.toFixed(1)} on ${machine.threads} threads.`,
            { class: 'caution' },
          ),
        ]
      : []),
  ];
}

function overview(cases: readonly CaseReport[]): Markup[] {
  const all = cases.map((one) => one.case);
  return [
    element('h2', {}, escaped('All cases')),
    titled(
      'Images a minute, warm',
      bars(
        'images a minute',
        cases.map((one) => ({
          name: distinguish(one.case, all),
          value: one.imagesPerMinute,
          label: one.imagesPerMinute.toFixed(2),
        })),
      ),
    ),
    titled(
      'Where a warm run’s time goes',
      stackedBars(
        'stages of each case',
        cases.map((one) => ({ name: distinguish(one.case, all), parts: partsOf(one, 'warm') })),
      ),
    ),
  ];
}

function caseSection(one: CaseReport, name: string): Markup {
  const { case: about, model, memory, device, steps } = one;
  const described = [model.family, model.dtype, formatBytes(model.bytes), `on the ${device}`];
  const warm = one.stages.filter(({ phase }) => phase === 'warm');
  const working = warm.filter(({ computeShare }) => computeShare !== undefined);
  return element(
    'article',
    {},
    element('h2', {}, escaped(name)),
    paragraph(
      `${describeCase(about)}: ${described.filter((text) => text !== undefined).join(', ')}. ${one.imagesPerMinute.toFixed(2)} images a minute.`,
    ),
    titled('Stages', stageTable(one.stages)),
    titled(
      'Where the time goes',
      stackedBars('stages of a cold and a warm run', [
        { name: 'cold', parts: partsOf(one, 'cold') },
        { name: 'warm', parts: partsOf(one, 'warm') },
      ]),
    ),
    ...((steps[0]?.length ?? 0) > 1 ? [titled('Sampling steps, warm', stepLines(steps))] : []),
    titled(
      'Share of the machine’s peak',
      bars(
        'share of peak compute and bandwidth',
        working.flatMap(({ name, computeShare = 0, bandwidthShare = 0 }) => [
          { name, value: computeShare, label: `${formatShare(computeShare)} of compute` },
          { name: '', value: bandwidthShare, label: `${formatShare(bandwidthShare)} of bandwidth`, color: 1 },
        ]),
        1,
      ),
      paragraph(
        'Counted from the graphs: nominal FLOPs, and bytes as if each operation read and wrote memory. Kernels that need fewer multiplications, or keep values in caches, may pass 100 %.',
      ),
    ),
    titled('Every warm run', dots('samples of each stage', warm)),
    titled(
      'Memory',
      paragraph(
        `${formatBytes(memory.cold.peak)} at most in one run, ${formatBytes(memory.warm.peak)} in all runs. Afterwards ${formatBytes(memory.warm.resident)} resident, ${formatBytes(memory.warm.own)} of it the process’s own and ${formatBytes(memory.warm.mapped)} pages of mapped files. ${memory.gpu === null ? 'No GPU.' : `GPU: ${formatBytes(memory.gpu)}.`}`,
      ),
    ),
  );
}

/** What a total is made of; what is in no stage is `other`. */
function partsOf({ stages }: CaseReport, phase: StageReport['phase']) {
  const own = stages.filter((stage) => stage.phase === phase);
  const parts = own
    .filter(({ name }) => name !== 'total' && name !== 'step')
    .map(({ name, summary }) => ({ name, value: summary.p50 }));
  const total = own.find(({ name }) => name === 'total')?.summary.p50 ?? 0;
  const other = total - parts.reduce((sum, { value }) => sum + value, 0);
  return other > 0 ? [...parts, { name: 'other', value: other }] : parts;
}

function stageTable(stages: readonly StageReport[]): Markup {
  return table(
    ['', 'p50', 'p95', 'min', 'work', 'bytes', 'FLOP/s', 'of peak', 'of bandwidth', 'runs'],
    stages.map((stage) => [
      `${stage.phase} ${stage.name}`,
      ...[stage.summary.p50, stage.summary.p95, stage.summary.min].map(formatTime),
      ...(stage.flops === undefined
        ? ['', '', '', '', '']
        : [
            formatCount(stage.flops, 'FLOP'),
            formatCount(stage.bytes ?? 0, 'B'),
            formatRate(stage.flops / (stage.summary.p50 / 1000), 'FLOP'),
            formatShare(stage.computeShare ?? 0),
            formatShare(stage.bandwidthShare ?? 0),
          ]),
      String(stage.samples.length),
    ]),
  );
}

function comparisonSection({ cases, cautions }: ReportComparison): Markup[] {
  const all = cases.map((one) => one.case);
  const row = ({ phase, name, ratio, interval, verdict }: StageComparison) => ({
    name: `${phase} ${name}`,
    ratio,
    ...interval,
    label: `${formatChange(ratio)}, ${verdict}`,
    className: verdict === 'faster' || verdict === 'slower' ? verdict : 'same',
  });
  return [
    element('h2', {}, escaped('Compared with the earlier report')),
    ...cautions.map((text) => paragraph(text, { class: 'caution' })),
    ...cases.flatMap(({ case: one, stages }) => [
      ...(all.length > 1 ? [element('h3', {}, escaped(distinguish(one, all)))] : []),
      changes('change of each stage', stages.map(row)),
      table(
        ['', 'before', 'now', 'change', '95 % interval', 'p', 'verdict'],
        stages.map((stage) => [
          `${stage.phase} ${stage.name}`,
          formatTime(stage.before),
          formatTime(stage.after),
          formatChange(stage.ratio),
          `${formatChange(stage.interval.low)} … ${formatChange(stage.interval.high)}`,
          stage.p < 0.001 ? '<0.001' : stage.p.toFixed(3),
          stage.verdict,
        ]),
      ),
    ]),
    paragraph(
      'Medians; p by Mann–Whitney, corrected (Holm) for the number of stages; a change of less than 1 % counts as none.',
    ),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): Markup {
  const cells = (tag: string, row: readonly string[]) =>
    element(
      'tr',
      {},
      row.map((cell) => element(tag, {}, escaped(cell))),
    );
  return element(
    'table',
    {},
    element('thead', {}, cells('th', head)),
    element(
      'tbody',
      {},
      rows.map((row) => cells('td', row)),
    ),
  );
}
