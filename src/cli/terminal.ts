/** The process's two output streams. */
import { EXIT } from './exit-codes.js';

/**
 * Lets the reader of a stream go away, as in `latentd models | head -1`: what is written to it from then on is lost, and the
 * command ends with its own exit code.
 */
export function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      process.stderr.write(`latentd: results can't be written: ${error.message}\n`);
      process.exit(EXIT.failed);
    });
  }
}

/** Results: standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The one JSON object of `--json`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Everything else: standard error. */
export function report(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `1.4 GB`, in powers of 1024, as file managers show it. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value >= 100 || power === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[power]!}`;
}

/** Rows as columns, each as wide as its widest cell; a row's last cell is as wide as it likes. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((widest, row) => {
    row.slice(0, -1).forEach((cell, column) => (widest[column] = Math.max(widest[column] ?? 0, cell.length)));
    return widest;
  }, []);
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
