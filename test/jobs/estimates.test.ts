import { describe, expect, test } from 'vitest';
import { Estimates } from '../../src/jobs/estimates.js';

const load = { model: 'm', pixels: 4096, steps: 10, images: 1 };

describe('estimates', () => {
  const times = (sampling: number, firstStep: number, loading = 4) => ({
    phases: {
      preparing: 0.1,
      loading: loading,
      encoding: 0.5,
      sampling,
      decoding: 2,
      finishing: 0.2,
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
    expect(estimates.forecast(load).loading).toBeCloseTo(0.1);
    estimates.forgetLoaded();
    expect(estimates.forecast(load).loading).toBe(9);
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
