/**
 * The process's two output streams. Nearly all that goes there quotes something foreign (a file's name, a job's id, what a
 * daemon or a library said), so all of it is made safe to show here, once.
 */
import { format } from 'node:util';
import { safeJson, safeLine, safeText } from '../safe-text.js';
import { EXIT } from './exit-codes.js';

/** Characters of one report. */
const MAX_REPORT = 30_000;

export type Verbosity = 'quiet' | 'normal' | 'verbose';
let verbosity: Verbosity = 'normal';

/** How much standard error is told; results and errors always are. */
export function setVerbosity(wanted: Verbosity): void {
  verbosity = wanted;
}

export function isQuiet(): boolean {
  return verbosity === 'quiet';
}

export function isVerbose(): boolean {
  return verbosity === 'verbose';
}

/**
 * Lets the reader of a stream go away, as in `latentd models | head -1`: what is written to it from then on is lost, and the
 * command ends with its own exit code.
 */
export function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      report(`latentd: results can't be written: ${error.message}`);
      process.exit(EXIT.failed);
    });
  }
}

/** Keeps standard output for results: what libraries say by `console` goes to standard error. */
export function keepStandardOutput(): void {
  for (const method of ['log', 'info', 'debug', 'warn', 'error'] as const) {
    console[method] = (...values: unknown[]) => {
      reportLines(format(...values));
    };
  }
}

/** A line of results: standard output. */
export function print(line: string): void {
  process.stdout.write(`${safeLine(line, Infinity)}\n`);
}

/** Lines of results, whose newlines are our own. */
export function printLines(text: string): void {
  process.stdout.write(`${safeText(text, Infinity)}\n`);
}

/** The one JSON object of `--json`. */
export function printJson(value: unknown): void {
  process.stdout.write(jsonText(value));
}

/** JSON text of our own making. */
export function printJsonText(json: string): void {
  process.stdout.write(`${safeJson(json)}\n`);
}

/** The same as text. */
export function jsonText(value: unknown): string {
  return `${safeJson(JSON.stringify(value))}\n`;
}

/** A line that matters (an error, what to do): standard error. */
export function report(line: string): void {
  process.stderr.write(`${safeLine(line, MAX_REPORT)}\n`);
}

/** A line that one can do without: not under --quiet. */
export function notice(line: string): void {
  if (!isQuiet()) report(line);
}

/** A line for who wants to know more: under --verbose only. */
export function detail(line: string): void {
  if (isVerbose()) report(line);
}

/** Lines of everything else, whose newlines are our own or a program's that we ran. */
export function reportLines(text: string): void {
  process.stderr.write(`${safeText(text, MAX_REPORT)}\n`);
}

/** `1.4 GB`, in powers of 1024, as file managers show it. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value >= 100 || power === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[power]!}`;
}
