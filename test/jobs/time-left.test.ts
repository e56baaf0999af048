import { describe, expect, test } from 'vitest';
import { TimeLeft } from '../../src/jobs/time-left.js';
import type { Phase } from '../../src/jobs/phases.js';

const forecast: Readonly<Record<Phase, number>> = {
  preparing: 1,
  loading: 2,
  encoding: 1,
  sampling: 10,
  decoding: 3,
  finishing: 1,
};
const at = (phase: Phase, step = 0) => ({ phase, step, totalSteps: 10, sampled: step / 10 });

function clocked() {
  const clock = { seconds: 100 };
  return { clock, left: new TimeLeft(forecast, () => clock.seconds * 1000) };
}

describe('the time left', () => {
  test('is what history says, less what has passed', () => {
    const { clock, left } = clocked();
    expect(left.seconds()).toBe(18);
    left.see(at('loading'));
    clock.seconds += 0.5;
    expect(left.seconds()).toBe(16.5);
    clock.seconds += 100;
    expect(left.seconds()).toBe(15);
  });

  test('is what this run shows, more and more', () => {
    const { clock, left } = clocked();
    left.see(at('sampling'));
    // Twice as slow as history says.
    clock.seconds += 10;
    left.see(at('sampling', 5));
    expect(left.seconds()).toBe(4 + 0.5 * 5 + 0.5 * 10);
    clock.seconds += 8;
    left.see(at('sampling', 9));
    expect(left.seconds()).toBeCloseTo(4 + 0.1 * 1 + 0.9 * 2);
  });
});
