/** Writes the figures of docs/benchmarks.md out of `bench/results/`: `npx vitest run test/bench/docs.test.ts --update`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  formatFigure,
  readResult,
  RESULTS_FOLDER,
  type ComparisonResult,
  type Row,
} from '../bench/harness/results.js';
import { summarize } from '../src/bench/statistics.js';

/** The newest result of each comparison, by name. */
export function newestResults(folder = RESULTS_FOLDER): ComparisonResult[] {
  const newest = new Map<string, ComparisonResult>();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.json')) continue;
    const result = readResult(join(folder, file));
    newest.set(result.name, result);
  }
  return [...newest.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The page: how to read it, then each comparison's figures. */
export function benchmarkDocs(results: readonly ComparisonResult[]): string {
  return [INTRODUCTION, ...results.flatMap(section), ''].join('\n');
}

const INTRODUCTION = `# Benchmarks

What latentd measures about itself. \`latentd bench\` ([cli.md](cli.md#latentd-bench)) times a workflow on your machine; this page
reads the project's own comparisons, whose code is in \`bench/\` and whose figures are in \`bench/results/\`, dated, with the
machine's description.

    npm run bench                    # all of them
    npm run bench samplers           # one
    KEEP=1 npm run bench samplers    # and keep its figures; then, to write them here:
    npx vitest run test/bench/docs.test.ts --update

## How to read it

- **A ratio comes from one run.** What is compared takes turns, round by round, so that whatever else the machine does happens to all
  of them. The ratio is the median over rounds, with a 95 % bootstrap interval in brackets; below 1 is faster, or smaller. An
  interval that holds 1 says nothing either way.
- **Figures are medians**, with least and 95th percentile where there are three samples or more. They belong to the machine that is named
  above them; only ratios travel, and those not far.
- **Load** is how many processes wanted to run in the minute before, on average. Above the number of threads, figures are too high, p95 most of
  all; ratios suffer less.
- \`latentd bench\` compares two runs that are apart in time, by a test that knows noise; for a change in the code, prefer a comparison
  here that runs both forms in turns.

End to end needs a checkpoint and, to have something beside it, ComfyUI:

    MODELS=~/ComfyUI/models CHECKPOINT=v1-5-pruned-emaonly.safetensors SIZE=512 STEPS=20 npm run bench end-to-end

with \`COMFY\`, \`TORCHSDE\`, \`PYTHON\` and \`PYTHONPATH\` as \`bench/end-to-end.ts\` says. \`CHECKPOINT\` is a path for \`graph-building\`, \`session-creation\`
and \`unet-step\`; without it they take SD 1.5's layout with weights of zero, which costs the same.`;

function section({ name, about, date, commit, machine, settings, rows }: ComparisonResult): string[] {
  const chosen = Object.entries(settings).map(([setting, value]) => `${setting}: ${value}`);
  const groups = [...new Set(rows.map((row) => row.group))];
  return [
    '',
    `## ${name}`,
    '',
    about,
    '',
    `${machine.processor}, ${machine.threads} threads (${machine.extensions.join(', ')}), Node.js ${machine.node}, load ${machine.load.toFixed(1)}; ` +
      `${date.slice(0, 10)}, commit ${commit}${chosen.length === 0 ? '' : `; ${chosen.join('; ')}`}.`,
    ...groups.flatMap((group) =>
      table(
        group,
        rows.filter((row) => row.group === group),
      ),
    ),
  ];
}

function table(group: string, rows: readonly Row[]): string[] {
  const cells = rows.map(({ name, unit, samples, ratio, wanted }) => {
    const { min, p50, p95, count } = summarize(samples);
    const compared =
      ratio && `${three(ratio.value)} of ${ratio.to} (${three(ratio.low)}–${three(ratio.high)})`;
    return [
      name,
      formatFigure(p50, unit),
      ...(count < 3 ? ['', ''] : [formatFigure(min, unit), formatFigure(p95, unit)]),
      [compared, wanted && `wanted: ${wanted}`].filter((text) => text !== undefined).join('; '),
    ];
  });
  const all = [[group, 'median', 'least', 'p95', ''], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(3, ...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const [head, ...body] = all.map(line);
  return ['', head!, line(widths.map((width) => '-'.repeat(width))), ...body];
}

function three(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
