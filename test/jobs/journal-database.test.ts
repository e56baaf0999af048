import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JournalDatabase, type JournalOperation } from '../../src/jobs/journal-database.js';
import type { JobOutcome } from '../../src/jobs/job.js';
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
const noted = (id: string) => ({
  id,
  client: { front: 'test', id: 'somebody' },
  metadata: { of: id },
  acceptedAt: 1,
});
const ids = () => journal.waiting().map(({ id }) => id);

describe('the journal', () => {
  test('keeps jobs in the order of their acceptance, with all that is needed to run them', () => {
    for (const id of ['b', 'a', 'c']) expect(journal.accept(jobOf(id), 1)).toBeGreaterThan(0);
    reopen();
    expect(ids()).toEqual(['b', 'a', 'c']);
    const { task, metadata, ...rest } = jobOf('b');
    expect(journal.waiting()[0]).toEqual({ ...rest, sequence: 1, interruptions: 0 });
    expect(journal.begin('b', 1, 5)).toEqual({ task, metadata, told: 0 });
    journal.tell('b', 0.4);
    expect(journal.begin('b', 2, 6)).toMatchObject({ told: 0.4 });
    expect(journal.find('b')).toEqual({ ...noted('b'), state: 'running', attempts: 2, startedAt: 5 });
  });

  test('takes an id while no job of it waits or runs', () => {
    expect(journal.accept(jobOf('a'), 1)).toBe(1);
    expect(journal.accept(jobOf('a'), 2)).toBeUndefined();
    journal.finish('a', done, 3);
    expect(journal.accept(jobOf('a', { metadata: { again: true } }), 4)).toBeGreaterThan(1);
    expect(journal.find('a')).toMatchObject({ state: 'queued', metadata: { again: true } });
    expect(ids()).toEqual(['a']);
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
      1,
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
    expect(again.accept(jobOf('next'), 1)).toBe(5);
    again.close();
  });
});
