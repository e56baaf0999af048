/** Figures of a measurement, beside what is wanted of them. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Prints a figure; with `STRICT=1` one over its limit (or under, for `atLeast`) fails the run. */
export function figure(
  name: string,
  value: number,
  unit: string,
  wanted: { readonly below?: number; readonly atLeast?: number } = {},
): void {
  const { below, atLeast } = wanted;
  const goal =
    below !== undefined ? `< ${below} ${unit}` : atLeast !== undefined ? `>= ${atLeast} ${unit}` : '';
  console.log(`${name.padEnd(58)} ${value.toPrecision(4).padStart(10)} ${unit.padEnd(6)} ${goal}`);
  if (process.env['STRICT'] !== '1') return;
  if (below !== undefined) expect(value, name).toBeLessThan(below);
  if (atLeast !== undefined) expect(value, name).toBeGreaterThanOrEqual(atLeast);
}

/** Seconds of processor time that a process has used. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
