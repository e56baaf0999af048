/**
 * What a comparison found: printed, and with KEEP=1 kept in `bench/results/`, dated and with the machine's description, for
 * docs/benchmarks.md to read.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { describeMachine, machineSchema } from '../../src/bench/machine.js';
import { summarize } from '../../src/bench/statistics.js';

const ratioSchema = z.object({
  /** The row that it is compared with, in the same group. */
  to: z.string(),
  /** This row's figure over that one's: the median over rounds, and its 95 % interval. */
  value: z.number(),
  low: z.number(),
  high: z.number(),
});

const rowSchema = z.object({
  group: z.string(),
  name: z.string(),
  /** `ms`, `B`, `/s`, `%`, … */
  unit: z.string(),
  samples: z.array(z.number()).min(1),
  ratio: ratioSchema.optional(),
  /** What is wanted of the figure, in words: `< 1 ms`. */
  wanted: z.string().optional(),
});
export type Row = Readonly<z.infer<typeof rowSchema>>;

export const resultSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  about: z.string(),
  date: z.string(),
  /** The commit that was measured; `+` when files had changed since. */
  commit: z.string(),
  machine: machineSchema,
  /** What was chosen for this run: the checkpoint, sizes, steps. */
  settings: z.record(z.string(), z.string()),
  rows: z.array(rowSchema),
});
export type ComparisonResult = Readonly<z.infer<typeof resultSchema>>;

export const RESULTS_FOLDER = fileURLToPath(new URL('../results', import.meta.url));

/** The rows of one comparison, as they come in. */
export class Results {
  private readonly machine = describeMachine();
  private readonly rows: Row[] = [];
  private readonly settings: Record<string, string> = {};
  private group = '';

  constructor(
    private readonly name: string,
    private readonly about: string,
  ) {}

  /** Notes what was chosen for this run. */
  note(setting: string, value: string | number): void {
    this.settings[setting] = String(value);
  }

  add(row: Row): void {
    if (row.group !== this.group) print(`\n${row.group}`);
    this.group = row.group;
    print(`  ${describeRow(row)}`);
    this.rows.push({ ...row, samples: row.samples.map(fourDigits) });
  }

  /** To be called once all rows are there. */
  finish(): void {
    if (this.rows.length === 0 || process.env['KEEP'] !== '1') return;
    const { name, about, machine, settings, rows } = this;
    const date = new Date().toISOString();
    const result: ComparisonResult = {
      version: 1,
      name,
      about,
      date,
      commit: commit(),
      machine,
      settings,
      rows,
    };
    mkdirSync(RESULTS_FOLDER, { recursive: true });
    const file = join(RESULTS_FOLDER, `${date.slice(0, 10)}-${name}.json`);
    writeFileSync(file, formatResult(result));
    print(`\nkept as ${file}`);
  }
}

export function readResult(file: string): ComparisonResult {
  return resultSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** JSON with each row's samples on one line. */
function formatResult(result: ComparisonResult): string {
  const lists = /\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g;
  const text = JSON.stringify(result, null, 2);
  return `${text.replace(lists, (_, items: string) => `[${items.replaceAll(/,\s+/g, ', ')}]`)}\n`;
}

export function describeRow({ name, unit, samples, ratio, wanted }: Row): string {
  const { p50, p95, count } = summarize(samples);
  const figure = `${formatFigure(p50, unit).padStart(12)}${count < 3 ? '' : `, p95 ${formatFigure(p95, unit)}`}`;
  const compared =
    ratio === undefined
      ? ''
      : `  ${ratio.value.toPrecision(3)} of ${ratio.to} (${ratio.low.toPrecision(3)} … ${ratio.high.toPrecision(3)})`;
  return `${name.padEnd(44)}${figure}${compared}${wanted === undefined ? '' : `  wanted ${wanted}`}`;
}

const MEGABYTE = 2 ** 20;

/** Three digits that count, times in the unit that suits them. */
export function formatFigure(value: number, unit: string): string {
  if (unit === 'B') return `${threeDigits(value / MEGABYTE)} MB`;
  if (unit !== 'ms') return `${threeDigits(value)} ${unit}`;
  if (value >= 1000) return `${threeDigits(value / 1000)} s`;
  return value >= 0.1 ? `${threeDigits(value)} ms` : `${threeDigits(value * 1000)} µs`;
}

function threeDigits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value === 0 ? '0' : value.toPrecision(3);
}

function fourDigits(value: number): number {
  return Number(value.toPrecision(4));
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', cwd: RESULTS_FOLDER }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
  return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
