import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  JournalDatabase,
  type JournalOperation,
  type JournalOperations,
} from '../../src/daemon/journal-database.js';
import type { Journal } from '../../src/daemon/journal.js';
import { JobQueue, Refusal } from '../../src/daemon/queue.js';
import type { JobOutcome, JobRequest } from '../../src/engine-process/job.js';

let folder: string;
let journal: JournalDatabase;

const open = () => (journal = new JournalDatabase(join(folder, 'journal.sqlite')));
const reopen = () => {
  journal.close();
  return open();
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-journal-'));
  open();
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

const request: JobRequest = {
  prompt: 'p',
  model: 'm',
  width: 64,
  height: 32,
  steps: 4,
  cfg: 7,
  seed: '18446744073709551615',
  batchSize: 2,
  animationFrames: 1,
};
const done: JobOutcome = { state: 'completed', imagePath: '/x.png', durationSeconds: 1.5 };
const ids = () => journal.waiting().map(({ id }) => id);

describe('the journal', () => {
  test('keeps jobs in the order of their acceptance, with all that is needed to run them', () => {
    for (const id of ['b', 'a', 'c']) expect(journal.accept(id, request, 1)).toBe(true);
    reopen();
    expect(ids()).toEqual(['b', 'a', 'c']);
    expect(journal.waiting()[0]).toEqual({
      id: 'b',
      load: { model: 'm', pixels: 2048, steps: 4, images: 2 },
      interruptions: 0,
    });
    expect(journal.begin('b', 1)).toEqual(request);
    expect(journal.find('b')).toEqual({ id: 'b', state: 'running', attempts: 1 });
  });

  test('takes an id once, whatever became of its job', () => {
    expect(journal.accept('a', request, 1)).toBe(true);
    expect(journal.accept('a', request, 2)).toBe(false);
    journal.finish('a', done, 3);
    expect(journal.accept('a', request, 4)).toBe(false);
    expect(ids()).toEqual([]);
  });

  test('lets the first outcome stand', () => {
    journal.accept('a', request, 1);
    expect(journal.finish('a', { state: 'cancelled', error: 'no', durationSeconds: 0 }, 2)).toBe(true);
    expect(journal.finish('a', done, 3)).toBe(false);
    expect(journal.begin('a', 2)).toBeUndefined();
    journal.requeue('a', 0);
    reopen();
    expect(journal.find('a')).toMatchObject({ state: 'cancelled', outcome: { error: 'no' } });
    expect(ids()).toEqual([]);
  });

  test('puts a job back that ran when the daemon died, and counts that apart from attempts', () => {
    journal.accept('a', request, 1);
    journal.accept('b', request, 1);
    journal.begin('a', 1);
    reopen();
    journal.begin('a', 1);
    reopen();
    expect(journal.waiting()).toMatchObject([
      { id: 'a', interruptions: 2 },
      { id: 'b', interruptions: 0 },
    ]);
    expect(journal.find('a')).toMatchObject({ state: 'queued', attempts: 0 });
    // Put back in an orderly manner, it is nobody's fault.
    journal.begin('a', 1);
    journal.requeue('a', 0);
    reopen();
    expect(journal.waiting()[0]).toMatchObject({ id: 'a', interruptions: 2 });
  });

  test('forgets what is old, and what is too much, but nothing that waits', () => {
    for (let index = 0; index < 10; index++) {
      journal.accept(`j${index}`, request, index);
      if (index > 0) journal.finish(`j${index}`, done, index * 100);
    }
    expect(journal.prune(300, 100)).toBe(2);
    expect(journal.prune(0, 3)).toBe(4);
    const known = Array.from({ length: 10 }, (_, index) => journal.find(`j${index}`)?.id ?? '');
    expect(known.filter((id) => id !== '')).toEqual(['j0', 'j7', 'j8', 'j9']);
  });

  test('applies operations together, or not at all', () => {
    const operations: readonly JournalOperation[] = [
      { name: 'accept', args: ['a', request, 1] },
      { name: 'accept', args: ['a', request, 1] },
      { name: 'begin', args: ['a', 1] },
      { name: 'find', args: ['a'] },
    ];
    expect(journal.apply(operations)).toEqual([
      true,
      false,
      request,
      { id: 'a', state: 'running', attempts: 1 },
    ]);
    const broken = { ...request, prompt: 1n as unknown as string };
    expect(() =>
      journal.apply([
        { name: 'accept', args: ['b', request, 1] },
        { name: 'accept', args: ['c', broken, 1] },
      ]),
    ).toThrow();
    expect(journal.find('b')).toBeUndefined();
  });

  test('remembers what was measured', () => {
    const time = { model: 'm', pixels: 4096, stage: 'sampling', count: 3, meanSeconds: 0.25 };
    journal.recordStageTimes([time]);
    journal.recordStageTimes([{ ...time, count: 4 }]);
    reopen();
    expect(journal.stageTimes()).toEqual([{ ...time, count: 4 }]);
  });

  test('of a newer version is left alone', () => {
    const file = join(folder, 'newer.sqlite');
    const database = new Database(file);
    database.pragma('user_version = 99');
    database.close();
    expect(() => new JournalDatabase(file)).toThrow(
      /newer\.sqlite was written by a newer latentd \(schema 99/,
    );
  });
});

describe('the queue', () => {
  const acceptInto = (database: JournalOperations): Pick<Journal, 'accept'> => ({
    accept: async (...args) => {
      await Promise.resolve();
      return database.accept(...args);
    },
  });

  test('is first in, first out, and as long as it may be', async () => {
    const queue = new JobQueue(acceptInto(journal), [], () => 2);
    const both = Promise.all([queue.accept('a', request), queue.accept('b', request)]);
    // Those on their way to the disk count.
    await expect(queue.accept('c', request)).rejects.toThrow(new Refusal('Queue full'));
    await both;
    expect([queue.take()?.id, queue.take()?.id, queue.take()?.id]).toEqual(['a', 'b', undefined]);
    await expect(queue.accept('a', request)).rejects.toThrow(/^Invalid parameter: id/);
    expect(queue.size).toBe(0);
  });

  test('goes on with what was left, and gives jobs back', async () => {
    journal.accept('a', request, 1);
    journal.accept('b', request, 1);
    reopen();
    const queue = new JobQueue(acceptInto(journal), journal.waiting(), () => 10);
    expect(queue.withdraw('b')?.id).toBe('b');
    expect(queue.withdraw('b')).toBeUndefined();
    const job = queue.take()!;
    await queue.accept('c', request);
    queue.putBack(job);
    expect(queue.pending.map(({ id }) => id)).toEqual(['a', 'c']);
  });

  test('wakes whoever waits for a job, or for the end', async () => {
    const queue = new JobQueue(acceptInto(journal), [], () => 10);
    const stopping = new AbortController();
    const waiting = queue.untilWaiting(stopping.signal);
    await queue.accept('a', request);
    await waiting;
    queue.take();
    const again = queue.untilWaiting(stopping.signal);
    stopping.abort();
    await again;
  });
});
