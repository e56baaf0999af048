import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JournalDatabase, type JournalOperation } from '../../src/jobs/journal-database.js';
import type { JobOutcome, JobQuery } from '../../src/jobs/job.js';
import { jobOf } from './jobs.js';

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

const done: JobOutcome = {
  state: 'completed',
  outputs: [
    {
      workflow: 0,
      node: '9',
      ui: { images: [{ filename: 'x.png', subfolder: '', type: 'output', path: '/x.png' }] },
    },
  ],
  durationSeconds: 1.5,
};
const noted = (id: string, sequence = 1) => ({
  id,
  sequence,
  place: sequence - 1,
  client: { front: 'test', id: 'somebody' },
  metadata: { of: id },
  acceptedAt: 1,
});
const ids = () => journal.waiting().map(({ id }) => id);

describe('the journal', () => {
  test('keeps jobs in the order of their acceptance, with all that is needed to run them', () => {
    for (const id of ['b', 'a', 'c']) expect(journal.accept(jobOf(id), 1)).toBeDefined();
    reopen();
    expect(ids()).toEqual(['b', 'a', 'c']);
    const { task, metadata, ...rest } = jobOf('b');
    expect(journal.waiting()[0]).toEqual({ ...rest, sequence: 1, place: 0, interruptions: 0 });
    expect(journal.begin('b', 1, 5)).toEqual({ task, metadata, told: 0 });
    journal.tell('b', 0.4);
    expect(journal.begin('b', 2, 6)).toMatchObject({ told: 0.4 });
    expect(journal.find('b')).toEqual({ ...noted('b'), state: 'running', attempts: 2, startedAt: 5 });
  });

  test('takes an id while no job of it waits or runs', () => {
    expect(journal.accept(jobOf('a'), 1)).toEqual({ sequence: 1, place: 0 });
    expect(journal.accept(jobOf('a'), 2)).toBeUndefined();
    journal.finish('a', done, 3);
    expect(journal.accept(jobOf('a', { metadata: { again: true } }), 4)?.sequence).toBeGreaterThan(1);
    expect(journal.find('a')).toMatchObject({ state: 'queued', metadata: { again: true } });
    expect(ids()).toEqual(['a']);
  });

  test('lists jobs with what they ran, and forgets those that are over', () => {
    for (const id of ['a', 'b', 'c', 'd']) journal.accept(jobOf(id), 1);
    journal.finish('c', done, 2);
    journal.finish('a', done, 3);
    reopen();
    const listed = (which: JobQuery['which'], first: 'oldest' | 'newest', limit?: number, offset?: number) =>
      journal
        .list({
          which,
          first,
          ...(limit !== undefined && { limit }),
          ...(offset !== undefined && { offset }),
        })
        .map(({ id }) => id);
    expect(listed('over', 'oldest')).toEqual(['c', 'a']);
    expect(listed('over', 'newest', 1)).toEqual(['a']);
    expect(listed('over', 'newest', 5, 1)).toEqual(['c']);
    expect(listed('unfinished', 'oldest')).toEqual(['b', 'd']);
    expect(journal.list({ which: 'over', first: 'oldest' })[0]).toEqual({
      ...noted('c', 3),
      state: 'completed',
      attempts: 0,
      finishedAt: 2,
      outcome: done,
      task: jobOf('c').task,
    });
    expect(
      journal
        .recall(['d', 'a', 'x'])
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(['a', 'd']);
    expect(journal.count('over')).toBe(2);
    journal.forget(['a', 'd']);
    expect([listed('over', 'oldest'), listed('unfinished', 'oldest')]).toEqual([['c'], ['b', 'd']]);
    journal.forget('all');
    expect([journal.count('over'), ids()]).toEqual([0, ['b', 'd']]);
    // Cancelled before it began.
    journal.finish('b', { ...done, state: 'cancelled' }, 5);
    expect([journal.count('over'), journal.count('ran')]).toEqual([1, 0]);
    journal.begin('d', 1, 6);
    journal.finish('d', { ...done, state: 'cancelled' }, 7);
    expect(journal.list({ which: 'ran', first: 'newest' }).map(({ id }) => id)).toEqual(['d']);
  });

  test('remembers where in the queue a job wanted to be', () => {
    expect(journal.accept(jobOf('a', { place: 7.5 }), 1)).toEqual({ sequence: 1, place: 7.5 });
    expect(journal.accept(jobOf('b', { place: 'first' }), 1)).toEqual({ sequence: 2, place: -1 });
    expect(journal.accept(jobOf('c'), 1)).toEqual({ sequence: 3, place: 2 });
    reopen();
    expect(journal.waiting().map(({ id, place }) => [id, place])).toEqual([
      ['a', 7.5],
      ['b', -1],
      ['c', 2],
    ]);
  });

  test('keeps what a cancelled job did until it ended', () => {
    journal.accept(jobOf('a'), 1);
    journal.begin('a', 1, 2);
    journal.finish('a', { state: 'cancelled', outputs: [], error: 'no', durationSeconds: 1 }, 3);
    const milestones = [{ type: 'execution_start', workflow: 0, at: 2 } as const];
    const outputs = [{ workflow: 0, node: '9', ui: { images: [] } }];
    const outcome = { state: 'cancelled', outputs, milestones, error: 'no', durationSeconds: 1 };
    expect(journal.amend('a', { outputs, milestones })).toEqual(outcome);
    reopen();
    expect(journal.find('a')?.outcome).toEqual(outcome);
  });

  test('lets the first outcome stand', () => {
    journal.accept(jobOf('a'), 1);
    expect(journal.finish('a', { state: 'cancelled', outputs: [], error: 'no', durationSeconds: 0 }, 2)).toBe(
      true,
    );
    expect(journal.finish('a', done, 3)).toBe(false);
    expect(journal.begin('a', 2, 9)).toBeUndefined();
    journal.requeue('a', 0);
    reopen();
    expect(journal.find('a')).toMatchObject({ state: 'cancelled', outcome: { error: 'no' } });
    expect(ids()).toEqual([]);
  });

  test('puts a job back that ran when the daemon died, and counts that apart from attempts', () => {
    journal.accept(jobOf('a'), 1);
    journal.accept(jobOf('b'), 1);
    journal.begin('a', 1, 9);
    reopen();
    journal.begin('a', 1, 9);
    reopen();
    expect(journal.waiting()).toMatchObject([
      { id: 'a', interruptions: 2 },
      { id: 'b', interruptions: 0 },
    ]);
    expect(journal.find('a')).toMatchObject({ state: 'queued', attempts: 0 });
    // Put back in an orderly manner, it is nobody's fault.
    journal.begin('a', 1, 9);
    journal.requeue('a', 0);
    reopen();
    expect(journal.waiting()[0]).toMatchObject({ id: 'a', interruptions: 2 });
  });

  test('forgets what is old, and what is too much, but nothing that waits', () => {
    for (let index = 0; index < 10; index++) {
      journal.accept(jobOf(`j${index}`), index);
      if (index > 0) journal.finish(`j${index}`, done, index * 100);
    }
    expect(journal.prune(300, 100)).toBe(2);
    expect(journal.prune(0, 3)).toBe(4);
    const known = Array.from({ length: 10 }, (_, index) => journal.find(`j${index}`)?.id ?? '');
    expect(known.filter((id) => id !== '')).toEqual(['j0', 'j7', 'j8', 'j9']);
  });

  test('applies operations together, or not at all', () => {
    const operations: readonly JournalOperation[] = [
      { name: 'accept', args: [jobOf('a'), 1] },
      { name: 'accept', args: [jobOf('a'), 1] },
      { name: 'begin', args: ['a', 1, 5] },
      { name: 'find', args: ['a'] },
    ];
    expect(journal.apply(operations)).toEqual([
      { sequence: 1, place: 0 },
      undefined,
      { task: jobOf('a').task, metadata: { of: 'a' }, told: 0 },
      { ...noted('a'), state: 'running', attempts: 1, startedAt: 5 },
    ]);
    const broken = jobOf('c', { task: { workflow: 1n as unknown as string } });
    expect(() =>
      journal.apply([
        { name: 'accept', args: [jobOf('b'), 1] },
        { name: 'accept', args: [broken, 1] },
      ]),
    ).toThrow();
    expect(journal.find('b')).toBeUndefined();
  });

  test('remembers what was measured', () => {
    const time = { model: 'm', pixels: 4096, measure: 'sampling' as const, count: 3, meanSeconds: 0.25 };
    journal.recordTimes([time]);
    journal.recordTimes([{ ...time, count: 4 }]);
    reopen();
    expect(journal.times()).toEqual([{ ...time, count: 4 }]);
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

  test('of version 3 goes on', () => {
    journal.accept(jobOf('a'), 1);
    journal.close();
    const database = new Database(join(folder, 'journal.sqlite'));
    database.exec(
      'DROP TABLE delivery; DROP INDEX ran_job; ALTER TABLE job DROP COLUMN place; ALTER TABLE job DROP COLUMN milestones',
    );
    database.pragma('user_version = 3');
    database.close();
    open();
    expect(journal.waiting()).toMatchObject([{ id: 'a', sequence: 1, place: 0 }]);
    expect(journal.accept(jobOf('b', { place: 'first' }), 1)).toEqual({ sequence: 2, place: -1 });
  });

  test('of version 1 goes on: what waits is for its front to renew, what is over keeps its outcome', () => {
    const file = join(folder, 'old.sqlite');
    const database = new Database(file);
    database.exec(readFileSync(new URL('../fixtures/jobs/journal-1.sql', import.meta.url), 'utf8'));
    database.close();
    const old = new JournalDatabase(file);
    expect(old.waiting()).toEqual([]);
    expect(old.old()).toMatchObject([
      { sequence: 2, id: 'ran', front: 'dgx-pixels', interruptions: 3, request: { prompt: 'a knight' } },
      { sequence: 4, id: 'waits', interruptions: 0, request: { seed: '18446744073709551615' } },
    ]);
    expect(old.find('done')?.outcome).toMatchObject({
      state: 'completed',
      outputs: [{ ui: { images: [{ path: '/pictures/x.png' }] } }],
      durationSeconds: 1.5,
    });
    expect(old.find('failed')?.outcome).toMatchObject({ state: 'failed', outputs: [], error: 'no' });
    expect(old.times()).toContainEqual({
      model: 'm',
      pixels: 4096,
      measure: 'loading (warm)',
      count: 2,
      meanSeconds: 0.5,
    });
    old.renew(jobOf('waits'));
    old.close();
    const again = new JournalDatabase(file);
    expect(again.waiting()).toMatchObject([{ sequence: 4, id: 'waits', client: { front: 'dgx-pixels' } }]);
    expect(again.old()).toMatchObject([{ sequence: 2 }]);
    expect(again.accept(jobOf('next'), 1)).toEqual({ sequence: 5, place: 4 });
    again.close();
  });
});
