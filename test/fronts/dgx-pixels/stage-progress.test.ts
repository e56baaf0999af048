import { describe, expect, test } from 'vitest';
import { StageProgress } from '../../../src/fronts/dgx-pixels/stage-progress.js';
import { PHASES, type Phase } from '../../../src/jobs/phases.js';

const load = { model: 'm', pixels: 4096, steps: 10, images: 1 };
const at = (phase: Phase, step = 0) => ({ phase, step, totalSteps: 10, sampled: step / 10 });

function clocked(told = 0, noteTold: (share: number) => Promise<boolean> = () => Promise.resolve(true)) {
  const clock = { seconds: 100 };
  const progress = new StageProgress('a', load, told, noteTold, () => clock.seconds * 1000);
  /** Reports, and reports again when what may be told has been noted. */
  const report = async (phase: Phase, step = 0): Promise<number> => {
    progress.update(at(phase, step), 0);
    await Promise.resolve();
    await Promise.resolve();
    progress.update(at(phase, step), 0);
    return progress.percentDone;
  };
  return { clock, progress, report };
}

describe('percent', () => {
  test('are the shares of the stages', async () => {
    const { progress, report } = clocked();
    const percents: number[] = [];
    for (const phase of PHASES) percents.push(await report(phase));
    expect(percents).toEqual([0, 2, 12, 15, 95, 99]);
    expect(progress.complete()).toMatchObject({ percent: 100, eta_s: 0, step: 10, total_steps: 10 });
  });

  test('never fall, not for a second attempt either', async () => {
    const { progress, report } = clocked();
    expect(await report('sampling', 5)).toBe(55);
    expect(progress.update(at('preparing'), 0)).toMatchObject({ stage: 'initializing', percent: 55 });
  });

  test('are never more than what was noted before, so that the next daemon can go on from there', async () => {
    const noted: number[] = [];
    let full = false;
    const note = (share: number) => {
      if (!full) noted.push(share);
      return Promise.resolve(!full);
    };
    const { report } = clocked(0, note);
    for (let step = 0; step <= 4; step++) {
      expect(await report('sampling', step)).toBeLessThanOrEqual(noted.at(-1)! * 100);
    }
    expect(noted).toEqual([0.2, 0.4, 0.6]);
    full = true;
    expect(await report('sampling', 9)).toBe(60);
    const next = clocked(noted.at(-1));
    expect(await next.report('preparing')).toBe(60);
    expect(await next.report('sampling', 9)).toBe(87);
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
