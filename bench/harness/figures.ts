import { readFileSync } from 'node:fs';
import { afterAll, expect } from 'vitest';
import { formatFigure, Results } from './results.js';

/** The value below which a share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Seconds of processor time that a process has used. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What a figure should be. */
export interface Wanted {
  readonly below?: number;
  readonly atLeast?: number;
}

/** Adds a figure of the test that is running; with `STRICT=1` one that isn't as wanted fails it. */
export type Figure = (name: string, value: number, unit: string, wanted?: Wanted) => void;

/** The figures of a file whose tests each measure something; they are kept together when all are done. */
export function openFigures(name: string, about: string): { readonly figure: Figure } {
  const results = new Results(name, about);
  afterAll(() => {
    results.finish();
  });
  const figure: Figure = (name, value, unit, { below, atLeast } = {}) => {
    const goals = [
      ...(below === undefined ? [] : [`< ${formatFigure(below, unit)}`]),
      ...(atLeast === undefined ? [] : [`≥ ${formatFigure(atLeast, unit)}`]),
    ];
    const group = expect.getState().currentTestName ?? '';
    const wanted = goals.length === 0 ? {} : { wanted: goals.join(', ') };
    results.add({ group, name: name.trim(), unit, samples: [value], ...wanted });
    if (process.env['STRICT'] !== '1') return;
    if (below !== undefined) expect(value, name).toBeLessThan(below);
    if (atLeast !== undefined) expect(value, name).toBeGreaterThanOrEqual(atLeast);
  };
  return { figure };
}
