/** From texts of a command line to the cases to measure: `--width`, `--matrix size=512x512,768x768` and their like. */
import { nearestHint } from '../nearest-names.js';
import { findSampler, findScheduler } from '../native/samplers.js';
import type { BenchCase } from './case.js';

/** A case or matrix that can't be read; the message names the flag, the text and what would be right. */
export class CaseError extends Error {
  override readonly name = 'CaseError';
}

type Reader = (text: string, from: string) => Partial<BenchCase>;

const LARGEST = 16_384;

export function readExtent(text: string, from: string): number {
  const pixels = Number(text);
  if (/^\d+$/.test(text) && pixels >= 64 && pixels <= LARGEST && pixels % 8 === 0) return pixels;
  throw new CaseError(
    `${from} must be a number of pixels from 64 to ${LARGEST} that 8 divides, not ${JSON.stringify(text)}`,
  );
}

export function readCount(text: string, from: string, least = 1, most = 10_000): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= least && count <= most) return count;
  throw new CaseError(`${from} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
}

function readSize(text: string, from: string): Partial<BenchCase> {
  const sides = text.split(/[x×]/);
  if (sides.length > 2) throw new CaseError(`${from} must be WIDTHxHEIGHT, not ${JSON.stringify(text)}`);
  const [width, height = width] = sides.map((side) => readExtent(side, from)) as [number, number?];
  return { width, height };
}

/** Throws `CaseError` with the nearest names. */
function known(find: (name: string) => unknown, text: string, from: string): string {
  try {
    find(text);
  } catch (error) {
    throw error instanceof RangeError ? new CaseError(`${from}: ${error.message}`) : error;
  }
  return text;
}

export const readSampler = (text: string, from: string): string => known(findSampler, text, from);
export const readScheduler = (text: string, from: string): string => known(findScheduler, text, from);

const MOST_IMAGES = 64;
export const readBatch = (text: string, from: string): number => readCount(text, from, 1, MOST_IMAGES);

const AXES: Readonly<Record<string, Reader>> = {
  size: readSize,
  batch: (text, from) => ({ batch: readBatch(text, from) }),
  steps: (text, from) => ({ steps: readCount(text, from) }),
  sampler: (text, from) => ({ sampler: readSampler(text, from) }),
  scheduler: (text, from) => ({ scheduler: readScheduler(text, from) }),
  checkpoint: (text) => ({ checkpoint: text }),
};

/** One axis of a matrix: what each of its points changes in a case. */
export type MatrixAxis = readonly Partial<BenchCase>[];

const MOST_CASES = 200;

/**
 * Axes from texts like `size=512x512,768x768` or several of them with `;` between. Throws `CaseError` for an axis that is
 * unknown or named twice, for a value that makes no sense, and for more than 200 cases.
 */
export function parseMatrix(texts: readonly string[]): MatrixAxis[] {
  const axes = new Map<string, MatrixAxis>();
  for (const text of texts.flatMap((each) => each.split(';'))) {
    const [name = '', values = ''] = text.split(/=(.*)/s).map((part) => part.trim());
    const from = `--matrix ${name}`;
    const read = AXES[name];
    if (read === undefined) {
      const names = Object.keys(AXES);
      throw new CaseError(
        `--matrix: there is no axis ${JSON.stringify(name)}${nearestHint(name, names)}; axes are ${names.join(', ')}, as in --matrix size=512x512,768x768`,
      );
    }
    if (axes.has(name)) throw new CaseError(`${from} is given twice; join its values with commas`);
    const points = values.split(',').map((value) => read(value.trim(), from));
    axes.set(name, points);
  }
  const count = [...axes.values()].reduce((product, axis) => product * axis.length, 1);
  if (count > MOST_CASES)
    throw new CaseError(`--matrix makes ${count} cases; no more than ${MOST_CASES} are measured at a time`);
  return [...axes.values()];
}

/** Every combination of the axes' points on top of `base`, the last axis changing fastest. */
export function expandMatrix(base: BenchCase, axes: readonly MatrixAxis[]): BenchCase[] {
  return axes.reduce<BenchCase[]>(
    (cases, axis) => cases.flatMap((one) => axis.map((point) => ({ ...one, ...point }))),
    [base],
  );
}
