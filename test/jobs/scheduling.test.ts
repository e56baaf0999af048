/** Who is next, and where. */
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClientRates, clientKey, TooManyJobs } from '../../src/jobs/client-rules.js';
import { DeviceHealth } from '../../src/jobs/device-health.js';
import { Estimates } from '../../src/jobs/estimates.js';
import type { QueuedJob } from '../../src/jobs/job.js';
import { Placement } from '../../src/jobs/placement.js';
import { WaitingJobs } from '../../src/jobs/waiting-jobs.js';
import { jobOf } from './jobs.js';

let sequence = 0;
beforeEach(() => {
  sequence = 0;
});

/** The next job of a client. Its id is the client's letter with a number. */
function job(id: string, values: Partial<QueuedJob> = {}): QueuedJob {
  const { load } = jobOf(id);
  const client = { front: 'test', id: id[0]! };
  return {
    id,
    client,
    load,
    priority: 0,
    sequence: ++sequence,
    place: sequence - 1,
    interruptions: 0,
    ...values,
  };
}

function waitingOf(...jobs: readonly QueuedJob[]): WaitingJobs {
  const waiting = new WaitingJobs();
  for (const each of jobs) waiting.insert(each);
  return waiting;
}

const ids = (jobs: Iterable<QueuedJob>) => [...jobs].map(({ id }) => id);
const runningOf = (...clients: readonly string[]) =>
  new Map(clients.map((id) => [clientKey({ front: 'test', id }), 1]));

describe('clients', () => {
  const many = () => waitingOf(...['a1', 'a2', 'a3', 'b1', 'a4', 'b2', 'c1'].map((id) => job(id)));

  test('take turns: one with many jobs keeps nobody waiting', () => {
    expect(ids(many().inOrder({ order: 'turns' }, new Map()))).toEqual([
      'a1',
      'b1',
      'c1',
      'a2',
      'b2',
      'a3',
      'a4',
    ]);
    // Who has a job running comes after those who have none.
    expect(ids(many().inOrder({ order: 'turns' }, runningOf('a')))).toEqual([
      'b1',
      'c1',
      'a1',
      'b2',
      'a2',
      'a3',
      'a4',
    ]);
    expect(ids(many().inOrder({ order: 'arrival' }, new Map()))).toEqual([
      'a1',
      'a2',
      'a3',
      'b1',
      'a4',
      'b2',
      'c1',
    ]);
  });

  test('have their turn once, whether or not they have another job', () => {
    const waiting = many();
    const taken: string[] = [];
    for (let count = 0; count < 4; count++) {
      const [next] = waiting.inOrder({ order: 'turns' }, new Map());
      waiting.remove(next!, true);
      taken.push(next!.id);
    }
    waiting.insert(job('c2'));
    expect([taken, ids(waiting.inOrder({ order: 'turns' }, new Map()))]).toEqual([
      ['a1', 'b1', 'c1', 'a2'],
      ['b2', 'c2', 'a3', 'a4'],
    ]);
  });

  test('do not come before higher priorities, nor before jobs that were put first', () => {
    const waiting = waitingOf(
      job('a1'),
      job('a2', { place: -5 }),
      job('b1', { priority: 1 }),
      job('b2'),
      job('b3', { priority: 1 }),
    );
    expect(ids(waiting.inOrder({ order: 'turns' }, runningOf('a', 'b')))).toEqual([
      'b1',
      'b3',
      'a2',
      'a1',
      'b2',
    ]);
  });

  test('have no more jobs at once than they may', () => {
    const rules = { order: 'turns', concurrency: 2 } as const;
    expect(ids(many().inOrder(rules, runningOf('a')))).toEqual(['b1', 'c1', 'a1', 'b2']);
    expect(ids(many().inOrder({ ...rules, concurrency: 1 }, runningOf('a', 'b', 'c')))).toEqual([]);
  });

  test('submit as many jobs a minute as they may, and are told when to come again', () => {
    let now = 0;
    const rates = new ClientRates(() => now);
    const [a, b] = ['a', 'b'].map((id) => ({ front: 'test', id })) as [
      QueuedJob['client'],
      QueuedJob['client'],
    ];
    rates.count(a, 2);
    now = 20_000;
    rates.count(a, 2);
    expect(() => {
      rates.count(a, 2);
    }).toThrow(new TooManyJobs(2, 40));
    rates.count(b, 2);
    now = 60_000;
    rates.count(a, 2);
    expect(() => {
      rates.count(a, 2);
    }).toThrow('a client may submit 2 a minute; try again in 20 s');
    for (let count = 0; count < 100; count++) rates.count(a, undefined);
  });
});

describe('engines', () => {
  const model = (name: string) => ({ load: { ...jobOf('x').load, model: name } });
  /** Six seconds where its model isn't loaded, else one. */
  const warm = (models: Readonly<Record<number, string>>) => ({
    seconds: ({ load }: QueuedJob, engine: number) => (models[engine] === load.model ? 1 : 6),
    mayRun: () => true,
  });
  const free = (engine: number) => ({ engine, isFree: true, secondsLeft: 0 });
  const busy = (engine: number, secondsLeft: number) => ({ engine, isFree: false, secondsLeft });
  const place = (placement: Placement, ...args: Parameters<Placement['next']>) => {
    const next = placement.next(...args);
    return next && [next.job.id, next.engine];
  };

  test('get the jobs whose models they have loaded', () => {
    const [a, b] = [job('a', model('A')), job('b', model('B'))];
    const loaded = warm({ 0: 'B', 1: 'A' });
    expect(place(new Placement(), [a, b], [free(0), free(1)], loaded)).toEqual(['a', 1]);
    // The first job waits for the busy one; what comes after it is done meanwhile.
    expect(place(new Placement(), [a, b], [free(0), busy(1, 2)], loaded)).toEqual(['b', 0]);
    expect(place(new Placement(), [a], [free(0), busy(1, 2)], loaded)).toBeUndefined();
    // Loading takes less than waiting.
    expect(place(new Placement(), [a], [free(0), busy(1, 9)], loaded)).toEqual(['a', 0]);
    // So many jobs wait for the other that the last of them is quicker here.
    const many = Array.from({ length: 6 }, (_, index) => job(`a${index}`, model('A')));
    expect(place(new Placement(), many, [free(0), busy(1, 1)], loaded)).toEqual(['a4', 0]);
  });

  test('starve no job: it waits for another engine as long as it was told, and no longer', () => {
    let now = 0;
    const placement = new Placement(() => now);
    const a = job('a', model('A'));
    const loaded = warm({ 0: 'B', 1: 'A' });
    expect(place(placement, [a], [free(0), busy(1, 2)], loaded)).toBeUndefined();
    expect(placement.impatientIn).toBe(2000);
    now = 1999;
    expect(place(placement, [a], [free(0), busy(1, 2)], loaded)).toBeUndefined();
    now = 2000;
    expect(place(placement, [a], [free(0), busy(1, 2)], loaded)).toEqual(['a', 0]);
    expect(placement.impatientIn).toBeUndefined();
  });

  test('do not get a job that may not run there', () => {
    const questions = { ...warm({}), mayRun: (_: QueuedJob, engine: number) => engine === 1 };
    expect(place(new Placement(), [job('a')], [free(0), free(1)], questions)).toEqual(['a', 1]);
    expect(place(new Placement(), [job('a')], [free(0)], questions)).toBeUndefined();
  });

  test('of different speeds take jobs by what each needs', () => {
    const estimates = new Estimates([]);
    estimates.learnSpeed(0, 10e12);
    estimates.learnSpeed(1, 0.5e12);
    const { load } = job('a', model('A'));
    const phases = { preparing: 0, loading: 1, encoding: 0, sampling: 4, decoding: 0, finishing: 0 };
    estimates.learn(load, { phases, steps: 4, firstStep: 1 }, 0);
    estimates.forgetLoaded(0);
    expect(estimates.secondsOn(load, 0)).toBeCloseTo(1 + 8);
    expect(estimates.secondsOn(load, 1)).toBeCloseTo(1 + 160);
    // What a slow one took says what a fast one would.
    estimates.learn(load, { phases: { ...phases, sampling: 80 }, steps: 4, firstStep: 20 }, 1);
    expect(estimates.secondsOn(load, 1)).toBeCloseTo(160 + 0.05);
  });
});

describe('a device that keeps failing', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is set aside, longer each time, and said so; the last one never is', () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino(
      { base: null },
      { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[0]) },
    );
    const returned = vi.fn();
    const health = new DeviceHealth(['cuda:0', 'cuda:1'], log, returned);
    const fail = (engine: number, times: number) => {
      for (let count = 0; count < times; count++) health.failed(engine, 'driver died');
    };
    fail(1, 2);
    health.worked(1);
    fail(1, 2);
    expect(health.setAside(1)).toBeUndefined();
    fail(1, 1);
    expect(health.setAside(1)).toMatchObject({ cause: 'driver died' });
    expect(lines.at(-1)).toMatchObject({
      msg: 'a device keeps failing and is set aside',
      device: 'cuda:1',
      again_s: 30,
    });
    fail(0, 5);
    expect(health.setAside(0)).toBeUndefined();
    expect(lines.at(-1)).toMatchObject({
      msg: 'a device keeps failing, and there is no other',
      device: 'cuda:0',
    });
    vi.advanceTimersByTime(30_000);
    expect([health.setAside(1), returned.mock.calls.length]).toEqual([undefined, 1]);
    fail(1, 1);
    expect(lines.at(-1)).toMatchObject({ device: 'cuda:1', again_s: 60 });
    health.close();
  });
});
