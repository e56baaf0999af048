import { mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DamagedJournalError } from '../../src/jobs/journal-health.js';
import { JournalDatabase } from '../../src/jobs/journal-database.js';
import { jobOf } from './jobs.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-health-'));
  file = join(folder, 'journal.sqlite');
  const journal = new JournalDatabase(file);
  journal.apply(
    Array.from(
      { length: 500 },
      (_, index) => ({ name: 'accept', args: [jobOf(`job-${index}`), index] }) as const,
    ),
  );
  journal.begin('job-1', 1, 1);
  journal.close();
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Writes nonsense over the pages whose root is that of a table or an index. */
function damage(name: string): void {
  const database = new Database(file, { readonly: true });
  const { rootpage } = database.prepare('SELECT rootpage FROM sqlite_master WHERE name = ?').get(name) as {
    rootpage: number;
  };
  const pageSize = Number(database.pragma('page_size', { simple: true }));
  database.close();
  writeSync(
    openSync(file, 'r+'),
    Buffer.alloc(pageSize - 100, 0x5a),
    0,
    pageSize - 100,
    (rootpage - 1) * pageSize + 50,
  );
}

function change(sql: string): void {
  const database = new Database(file);
  database.exec(sql);
  database.close();
}

test.each(['unfinished_job', 'sqlite_autoindex_job_1'])('a damaged index (%s) heals', (name) => {
  damage(name);
  const journal = new JournalDatabase(file);
  expect(journal.waiting()).toHaveLength(500);
  expect(journal.find('job-7')).toMatchObject({ state: 'queued' });
  expect(journal.accept(jobOf('next'), 1)).toEqual({ sequence: 501, place: 500 });
  journal.close();
});

test('an index that is damaged under a running daemon heals', () => {
  const journal = new JournalDatabase(file);
  journal.apply([
    { name: 'finish', args: ['job-1', { state: 'failed', outputs: [], durationSeconds: 0 }, 1] },
  ]);
  damage('finished_job');
  expect(journal.apply([{ name: 'accept', args: [jobOf('next'), 1] }])).toEqual([
    { sequence: 501, place: 500 },
  ]);
  journal.close();
});

test('a damaged table is refused, as damaged', () => {
  damage('job');
  expect(() => new JournalDatabase(file)).toThrow(DamagedJournalError);
  expect(() => new JournalDatabase(file)).toThrow(/damaged .*move it away/);
});

test('jobs whose records are no JSON have failed, and the others run', () => {
  change(
    "UPDATE job SET load = '{oops' WHERE id = 'job-0'; UPDATE job SET task = '{oops' WHERE id = 'job-1'",
  );
  const journal = new JournalDatabase(file);
  expect(journal.waiting().map(({ id }) => id)).not.toContain('job-0');
  expect(journal.find('job-0')?.outcome).toMatchObject({
    state: 'failed',
    error: `the job's record in ${file} is damaged`,
  });
  expect(journal.begin('job-1', 1, 5)).toBeUndefined();
  expect(journal.find('job-1')?.outcome).toMatchObject({ state: 'failed' });
  expect(journal.begin('job-2', 1, 5)).toBeDefined();
  change("UPDATE job SET metadata = '[', outputs = '[' WHERE id = 'job-1'");
  expect(journal.find('job-1')).toMatchObject({ metadata: {}, outcome: { outputs: [] } });
  journal.close();
});

test('nothing is accepted into a file that was removed or replaced', () => {
  const journal = new JournalDatabase(file);
  renameSync(file, `${file}.old`);
  expect(() => journal.accept(jobOf('next'), 1)).toThrow(/journal\.sqlite was removed or replaced/);
  writeFileSync(file, readFileSync(`${file}.old`));
  expect(() => journal.accept(jobOf('next'), 1)).toThrow(/journal\.sqlite was removed or replaced/);
  journal.close();
});
