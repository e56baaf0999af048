/** The simulation against what queueing theory says in closed form. */
import { describe, expect, test } from 'vitest';
import { EventHeap } from '../../tools/simulate/event-heap.js';
import { scenarioSchema, type ScenarioInput } from '../../tools/simulate/scenario.js';
import { simulate } from '../../tools/simulate/simulate.js';

const DAY = 86_400;
const run = (scenario: ScenarioInput) => simulate(scenarioSchema.parse(scenario));
/** Jobs of one second, whose model costs nothing to load. */
const second = { name: 'a', stages: { loading: 0, step: 1 } };
const plain = { models: [second], overhead: 0, jobs: 200_000 };

/** Erlang's C: the chance to wait in M/M/c, of `load` erlangs. */
function erlangC(servers: number, load: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < servers; k++) sum += term *= load / k;
  const last = (term * load) / servers / (1 - load / servers);
  return last / (sum + last);
}

describe('waiting', () => {
  test.each([
    [1, 0.7],
    [4, 0.8],
    [32, 0.9],
  ])('in M/M/%d at %f is as Erlang says', (devices, share) => {
    const load = devices * share;
    const chance = erlangC(devices, load);
    const { waiting, busy } = run({ ...plain, devices, jobsADay: load * DAY, variation: 'exponential' });
    const mean = chance / (devices - load);
    expect(Math.abs(waiting.mean / mean - 1)).toBeLessThan(0.06);
    // P(W > t) = C e^{-(c - a) t}
    const p95 = Math.log(chance / 0.05) / (devices - load);
    expect(Math.abs(waiting.p95 / p95 - 1)).toBeLessThan(0.06);
    expect(Math.abs(busy - share)).toBeLessThan(0.01);
  });

  test('in M/D/1 is half of that (Pollaczek and Khinchine)', () => {
    const { waiting } = run({ ...plain, devices: 1, jobsADay: 0.7 * DAY, variation: 0 });
    expect(Math.abs(waiting.mean / (0.7 / (2 * 0.3)) - 1)).toBeLessThan(0.05);
  });

  test('in M/G/1 grows with the variation of the work', () => {
    const { waiting } = run({ ...plain, devices: 1, jobsADay: 0.6 * DAY, variation: 2 });
    expect(Math.abs(waiting.mean / ((0.6 * (1 + 4)) / (2 * 0.4)) - 1)).toBeLessThan(0.15);
  });
});

test('a model is loaded whenever the one before was another, and seldom where jobs go to their models', () => {
  const models = ['a', 'b'].map((name) => ({ name, stages: { loading: 1, step: 1 } }));
  const scenario = { devices: 4, jobs: 50_000, jobsADay: 1.2 * DAY, models };
  const any = run({ ...scenario, placement: 'any' });
  const warm = run({ ...scenario, placement: 'warm' });
  // The model of the job before, of two alike, is another in half of the cases.
  expect(Math.abs(any.loads / any.jobs - 0.5)).toBeLessThan(0.02);
  expect(warm.loads / warm.jobs).toBeLessThan(any.loads / any.jobs / 2);
  expect(run({ ...scenario, placement: 'any', kept: 2 }).loads).toBe(0);
});

test('no job is lost where devices die, and the work that was done in vain counts', () => {
  const scenario = { ...plain, jobs: 30_000, devices: 20, jobsADay: 10 * DAY };
  const calm = run(scenario);
  const deadly = run({ ...scenario, hoursBetweenDeaths: 10 / 3600, takeOver: 3, restart: 1 });
  expect([calm.jobs, deadly.jobs]).toEqual([27_000, 27_000]);
  expect([calm.deaths, deadly.deaths > 2000]).toEqual([0, true]);
  expect(deadly.total.mean).toBeGreaterThan(calm.total.mean + 0.3);
});

test('devices come with the lag and go without it', () => {
  const scenario = { ...plain, jobs: 50_000, devices: 50, jobsADay: 5 * DAY };
  const { devices, waiting, busy } = run({ ...scenario, scaling: { least: 1 } });
  expect(devices).toBeLessThan(30);
  expect(busy).toBeGreaterThan(0.2);
  expect(waiting.max).toBeGreaterThan(run(scenario).waiting.max);
});

test('ten thousand devices that are nine tenths busy make nobody wait', () => {
  const result = run({ ...plain, jobs: 100_000, devices: 10_000, jobsADay: 9000 * DAY, settling: 0 });
  expect(result.jobs).toBe(100_000);
  expect(result.waiting.p50).toBe(0);
});

test('events come in the order of their times, equals as they came', () => {
  const heap = new EventHeap<number>();
  const times = Array.from({ length: 500 }, (_, index) => (index * 7919) % 37);
  times.forEach((time, index) => {
    heap.push(time, index);
  });
  const popped = times.map(() => heap.pop()!);
  expect(popped.map(({ event }) => event)).toEqual(
    times
      .map((time, index) => ({ time, index }))
      .sort((a, b) => a.time - b.time || a.index - b.index)
      .map(({ index }) => index),
  );
  expect(heap.pop()).toBeUndefined();
});
