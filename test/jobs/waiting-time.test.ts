import { expect, test } from 'vitest';
import { Estimates } from '../../src/jobs/estimates.js';
import { WaitingTime } from '../../src/jobs/waiting-time.js';

const load = (steps: number) => ({ model: 'm', pixels: 4096, steps, images: 1 });
const times = (sampling: number) => ({ phases: { sampling }, steps: 10, firstStep: sampling / 10 });

test('the sum is that of the jobs, whatever came, went and was learned meanwhile', () => {
  const estimates = new Estimates([]);
  const time = new WaitingTime(estimates);
  const waiting: number[] = [];
  const check = () => {
    const expected = waiting.reduce((sum, steps) => sum + estimates.seconds(load(steps)), 0);
    expect(time.seconds).toBeCloseTo(expected, 6);
  };
  for (let count = 0; count < 200; count++) {
    const steps = 1 + (count % 7);
    if (count % 3 === 2) time.remove(load(waiting.shift()!));
    waiting.push(steps);
    time.add(load(steps));
    if (count % 10 === 0) estimates.learn(load(10), times(count / 10));
    if (count % 13 === 0) check();
  }
  while (waiting.length > 0) time.remove(load(waiting.pop()!));
  expect(time.seconds).toBe(0);
});

test('it costs the same for a job and for a hundred thousand', () => {
  const estimates = new Estimates([]);
  let asked = 0;
  const time = new WaitingTime({
    get version() {
      return estimates.version;
    },
    seconds: (each) => {
      asked++;
      return estimates.seconds(each);
    },
  });
  for (let count = 0; count < 100_000; count++) time.add(load(1 + (count % 5)));
  estimates.learn(load(10), times(20));
  asked = 0;
  expect(time.seconds).toBeGreaterThan(100_000);
  expect(asked).toBe(5);
});
