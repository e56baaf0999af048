import { describe, expect, test } from 'vitest';
import { StageProgress } from '../../../src/fronts/dgx-pixels/stage-progress.js';
import { PHASES, type Phase } from '../../../src/jobs/phases.js';

const load = { model: 'm', pixels: 4096, steps: 10, images: 1 };
const at = (phase: Phase, step = 0) => ({ phase, step, totalSteps: 10, sampled: step / 10 });

function clocked() {
  const clock = { seconds: 100 };
  const progress = new StageProgress('a', load, () => clock.seconds * 1000);
  return { clock, progress };
}

describe('percent', () => {
  test('are the shares of the stages', () => {
    const { progress } = clocked();
    const percents = PHASES.map((phase) => {
      progress.update(at(phase), 0);
      return progress.percentDone;
    });
    expect(percents).toEqual([0, 2, 12, 15, 95, 99]);
    expect(progress.complete()).toMatchObject({ percent: 100, eta_s: 0, step: 10, total_steps: 10 });
  });

  test('never fall, not for a second attempt either', () => {
    const { progress } = clocked();
    progress.update(at('sampling', 5), 0);
    expect(progress.percentDone).toBe(55);
    expect(progress.update(at('preparing'), 0)).toMatchObject({ stage: 'initializing', percent: 55 });
  });
});

test('steps are told 16 times a second at most, stages always', () => {
  const { clock, progress } = clocked();
  progress.update(at('sampling'), 0);
  let told = 0;
  for (let count = 0; count < 1000; count++) {
    clock.seconds += 0.001;
    if (progress.update(at('sampling', count / 200), 0) !== undefined) told++;
  }
  expect(told).toBeLessThanOrEqual(16);
  expect(told).toBeGreaterThan(12);
  expect(progress.update(at('decoding', 10), 0)).toBeDefined();
  expect(progress.update(at('finishing', 10), 0)).toBeDefined();
});
