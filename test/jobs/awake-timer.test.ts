import { afterEach, expect, test } from 'vitest';
import { AwakeTimer } from '../../src/jobs/awake-timer.js';

const timers: AwakeTimer[] = [];
afterEach(() => {
  for (const timer of timers.splice(0)) timer.clear();
});

/** A timer of a hundred seconds whose clock is the test's: it ticks once a second. */
function clocked() {
  const clock = { ms: 0, ends: 0 };
  const timer = new AwakeTimer(
    100,
    () => clock.ends++,
    () => clock.ms,
  );
  timers.push(timer);
  const run = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.ms += 1000;
      timer.tick();
    }
  };
  return { clock, timer, run };
}

test('time in which the process ran counts, until something is heard', () => {
  const { clock, timer, run } = clocked();
  run(99);
  timer.refresh();
  run(99);
  expect(clock.ends).toBe(0);
  run(1);
  expect(clock.ends).toBe(1);
});

test('an hour in which it was stopped does not', () => {
  const { clock, timer, run } = clocked();
  run(50);
  clock.ms += 3_600_000;
  timer.tick();
  run(47);
  expect(clock.ends).toBe(0);
  run(1);
  expect(clock.ends).toBe(1);
});
