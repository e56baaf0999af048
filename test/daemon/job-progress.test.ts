import { describe, expect, test } from 'vitest';
import { Estimates } from '../../src/daemon/estimates.js';
import { JobProgress } from '../../src/daemon/job-progress.js';
import type { Stage } from '../../src/wire/protocol.js';

const load = { model: 'm', pixels: 4096, steps: 10, images: 1 };
const forecast: Readonly<Record<Stage, number>> = {
  initializing: 1,
  loading_models: 2,
  encoding: 1,
  sampling: 10,
  decoding: 3,
  post_processing: 1,
};
const at = (stage: Stage, step = 0) => ({ stage, step, totalSteps: 10, sampled: step / 10 });

function clocked() {
  const clock = { seconds: 100 };
  const progress = new JobProgress('a', load, forecast, () => clock.seconds * 1000);
  return { clock, progress };
}

describe('percent', () => {
  test('are the shares of the stages', () => {
    const { progress } = clocked();
    const percents = (
      ['initializing', 'loading_models', 'encoding', 'sampling', 'decoding', 'post_processing'] as const
    ).map((stage) => {
      progress.update(at(stage));
      return progress.percentDone;
    });
    expect(percents).toEqual([0, 2, 12, 15, 95, 99]);
    expect(progress.complete()).toMatchObject({ percent: 100, eta_s: 0, step: 10, total_steps: 10 });
  });

  test('never fall, not for a second attempt either', () => {
    const { progress } = clocked();
    progress.update(at('sampling', 5));
    expect(progress.percentDone).toBe(55);
    expect(progress.update(at('initializing'))).toMatchObject({ stage: 'initializing', percent: 55 });
  });
});

test('steps are told 16 times a second at most, stages always', () => {
  const { clock, progress } = clocked();
  progress.update(at('sampling'));
  let told = 0;
  for (let count = 0; count < 1000; count++) {
    clock.seconds += 0.001;
    if (progress.update(at('sampling', count / 200)) !== undefined) told++;
  }
  expect(told).toBeLessThanOrEqual(16);
  expect(told).toBeGreaterThan(12);
  expect(progress.update(at('decoding', 10))).toBeDefined();
  expect(progress.update(at('post_processing', 10))).toBeDefined();
});

describe('the time left', () => {
  test('is what history says, less what has passed', () => {
    const { clock, progress } = clocked();
    expect(progress.remainingSeconds()).toBe(18);
    progress.update(at('loading_models'));
    clock.seconds += 0.5;
    expect(progress.remainingSeconds()).toBe(16.5);
    clock.seconds += 100;
    expect(progress.remainingSeconds()).toBe(15);
  });

  test('is what this run shows, more and more', () => {
    const { clock, progress } = clocked();
    progress.update(at('sampling'));
    // Twice as slow as history says.
    clock.seconds += 10;
    progress.update(at('sampling', 5));
    expect(progress.remainingSeconds()).toBe(4 + 0.5 * 5 + 0.5 * 10);
    clock.seconds += 8;
    progress.update(at('sampling', 9));
    expect(progress.remainingSeconds()).toBeCloseTo(4 + 0.1 * 1 + 0.9 * 2);
  });
});

describe('estimates', () => {
  const times = (sampling: number, firstStep: number, loading = 4) => ({
    stages: {
      initializing: 0.1,
      loading_models: loading,
      encoding: 0.5,
      sampling,
      decoding: 2,
      post_processing: 0.2,
    },
    steps: 10,
    firstStep,
  });

  test('come from the jobs before: by model, size and steps, loading told from a warm start', () => {
    const estimates = new Estimates([]);
    // Nine steps of a second; the first took six, five of them for loading weights.
    estimates.learn(load, times(15, 6));
    expect(estimates.forecast(load)).toMatchObject({ sampling: 10, decoding: 2, encoding: 0.5 });
    estimates.learn(load, times(10, 1, 0.1));
    expect(estimates.forecast(load).loading_models).toBeCloseTo(0.1);
    estimates.forgetLoaded();
    expect(estimates.forecast(load).loading_models).toBe(9);
    expect(estimates.forecast({ ...load, steps: 20 }).sampling).toBe(20);
    expect(estimates.forecast({ ...load, pixels: 4 * 4096 })).toMatchObject({ sampling: 40, encoding: 0.5 });
    expect(estimates.forecast({ ...load, images: 3 }).sampling).toBeCloseTo(30 + 2 * 2.2);
    const unknown = estimates.forecast({ ...load, model: 'other' });
    expect(unknown.sampling).toBe(10);
  });

  test('survive a restart and follow what changes', () => {
    const first = new Estimates([]);
    const kept = first.learn(load, times(10, 1));
    const second = new Estimates(kept);
    expect(second.forecast(load).sampling).toBe(first.forecast(load).sampling);
    for (let count = 0; count < 40; count++) second.learn(load, times(20, 2));
    expect(second.forecast(load).sampling).toBeGreaterThan(19);
    expect(second.summary()['sampling']!.count).toBe(10);
    expect(second.seconds(load)).toBeCloseTo(
      Object.values(second.forecast(load)).reduce((sum, seconds) => sum + seconds),
    );
  });
});
