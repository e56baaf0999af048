import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pictureWork } from '../../src/engine/picture-work.js';
import { Estimates } from '../../src/jobs/estimates.js';
import { firstEstimate } from '../../src/jobs/first-estimate.js';
import { tinyCheckpoint } from '../support/golden.js';

const load = { model: 'm', pixels: 256 * 256, steps: 20, images: 1 };
const part = (flops: number, operations = 0) => ({ flops, operations });
const work = { bytes: 0, encoding: part(1e9), step: part(20e9), decoding: part(50e9) };

describe('a first estimate', () => {
  test('is work by speed', () => {
    expect(firstEstimate(work, 10e9)).toEqual({ loading: 0, encoding: 0.1, sampling: 2, decoding: 5 });
    expect(firstEstimate(work, 100e9).sampling).toBeCloseTo(0.2);
  });

  test('counts operations that are too small to count by their FLOPs, and the file', () => {
    const small = firstEstimate({ ...work, step: part(0, 1000), bytes: 5e9 }, 1e12);
    expect(small.sampling).toBeCloseTo(0.06);
    expect(small.loading).toBeCloseTo(2 + 0.2);
  });
});

const STARTER = join(import.meta.dirname, '../../models/checkpoints/starter-sprites.safetensors');

test.each([
  ['sd15-tiny', tinyCheckpoint('sd15')],
  ['sdxl-tiny', tinyCheckpoint('sdxl')],
  ['starter', STARTER],
])('of %s is within a factor of two of its FLOPs on a slow machine', (_, path) => {
  const counted = pictureWork(path, { pixels: load.pixels, guided: true });
  const estimates = new Estimates([]);
  estimates.learnSpeed(0, 20e9);
  estimates.expect(load, counted);
  const reference = (counted.encoding.flops + 20 * counted.step.flops + counted.decoding.flops) / 20e9;
  expect(estimates.seconds(load)).toBeGreaterThan(reference / 2);
  expect(estimates.seconds(load)).toBeLessThan(reference * 2);
});

describe('estimates', () => {
  test('ask for work only where nothing of a model was measured', () => {
    const estimates = new Estimates([]);
    expect(estimates.isUnknown(load)).toBe(true);
    estimates.expect(load, work);
    expect(estimates.isUnknown(load)).toBe(false);
    expect(estimates.isUnknown({ ...load, pixels: 4096 })).toBe(true);
    estimates.learn({ ...load, model: 'other' }, { phases: { sampling: 10 }, steps: 10, firstStep: 1 });
    expect(estimates.isUnknown({ ...load, model: 'other', pixels: 4096 })).toBe(false);
  });

  test('keep the speed over a restart, and out of what is told of phases', () => {
    const kept = new Estimates([]).learnSpeed(1, 40e9);
    const estimates = new Estimates([kept]);
    estimates.expect(load, work);
    expect(estimates.forecast(load).sampling).toBeCloseTo(20 * 0.5);
    expect(estimates.summary()).toEqual({});
  });

  test('take the speed of the engine that has the job, else the fastest', () => {
    const estimates = new Estimates([]);
    estimates.learnSpeed(0, 10e9);
    estimates.learnSpeed(1, 100e9);
    estimates.expect(load, work);
    expect(estimates.forecast(load, 0).decoding).toBeCloseTo(5);
    expect(estimates.forecast(load, 1).decoding).toBeCloseTo(0.5);
    expect(estimates.forecast(load).decoding).toBeCloseTo(0.5);
  });

  test('forget the work once the time is measured', () => {
    const estimates = new Estimates([]);
    estimates.learnSpeed(0, 10e9);
    estimates.expect(load, work);
    const before = estimates.version;
    estimates.learn(load, { phases: { sampling: 10, decoding: 1 }, steps: 10, firstStep: 1 });
    expect(estimates.forecast(load)).toMatchObject({ sampling: 20, decoding: 1 });
    expect(estimates.version).not.toBe(before);
  });
});
