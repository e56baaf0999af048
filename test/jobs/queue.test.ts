import { expect, test } from 'vitest';
import { Estimates } from '../../src/jobs/estimates.js';
import type { Job, QueuedJob } from '../../src/jobs/job.js';
import { JobQueue, Refusal } from '../../src/jobs/queue.js';
import { jobOf } from './jobs.js';

/** Stands in for the disk: takes an id once. */
function memory() {
  const ids: string[] = [];
  return {
    accept: async ({ id, place }: Job) => {
      await Promise.resolve();
      if (ids.includes(id)) return undefined;
      const sequence = ids.push(id);
      return { sequence, place: typeof place === 'number' ? place : sequence - 1 };
    },
  };
}

function queued(id: string, priority: number, sequence: number): QueuedJob {
  const { client, load } = jobOf(id);
  return { id, client, load, priority, sequence, place: sequence - 1, interruptions: 0 };
}

test('is first in, first out, and as long as it may be', async () => {
  const queue = new JobQueue(memory(), [], () => 2, new Estimates([]));
  const both = Promise.all([queue.accept(jobOf('a')), queue.accept(jobOf('b'))]);
  // Those on their way to the disk count.
  await expect(queue.accept(jobOf('c'))).rejects.toThrow(new Refusal('Queue full'));
  await both;
  expect([queue.take()?.id, queue.take()?.id, queue.take()?.id]).toEqual(['a', 'b', undefined]);
  await expect(queue.accept(jobOf('a'))).rejects.toThrow(/^Invalid parameter: id/);
  expect(queue.size).toBe(0);
});

test('goes on with what was left, and gives jobs back', async () => {
  const queue = new JobQueue(memory(), [queued('a', 0, -2), queued('b', 0, -1)], () => 10, new Estimates([]));
  expect(queue.withdraw('b')?.id).toBe('b');
  expect(queue.withdraw('b')).toBeUndefined();
  const job = queue.take()!;
  await queue.accept(jobOf('c'));
  queue.putBack(job);
  expect(queue.pending.map(({ id }) => id)).toEqual(['a', 'c']);
});

test('puts jobs of one priority in the order of their places', async () => {
  const queue = new JobQueue(memory(), [], () => 10, new Estimates([]));
  await queue.accept(jobOf('a'));
  await queue.accept(jobOf('b', { place: 5 }));
  await queue.accept(jobOf('c'));
  await queue.accept(jobOf('d', { place: -3 }));
  await queue.accept(jobOf('e', { priority: 1, place: 100 }));
  expect(queue.pending.map(({ id }) => id)).toEqual(['e', 'd', 'a', 'c', 'b']);
});

test('tells whoever works it off of each job that is new, or comes back', async () => {
  const queue = new JobQueue(memory(), [], () => 10, new Estimates([]));
  let heard = 0;
  const stop = queue.onArrival(() => heard++);
  await queue.accept(jobOf('a'));
  queue.putBack(queue.take()!);
  stop();
  await queue.accept(jobOf('b'));
  expect(heard).toBe(2);
});

test('higher priorities come first, equals in the order of their acceptance, and jobs come back to their places', async () => {
  const queue = new JobQueue(memory(), [queued('old', 0, -1)], () => 10, new Estimates([]));
  for (const [id, priority] of [
    ['a', 0],
    ['b', 1],
    ['c', -1],
    ['d', 1],
  ] as const) {
    await queue.accept(jobOf(id, { priority }));
  }
  expect(queue.pending.map(({ id }) => id)).toEqual(['b', 'd', 'old', 'a', 'c']);
  const [b, d, old] = [queue.take()!, queue.take()!, queue.take()!];
  for (const job of [old, d, b]) queue.putBack(job);
  expect(queue.pending.map(({ id }) => id)).toEqual(['b', 'd', 'old', 'a', 'c']);
});
