import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobEvent } from '../../src/engine-process/messages.js';
import { EngineHost } from '../../src/jobs/engine-host.js';
import { Estimates } from '../../src/jobs/estimates.js';
import { JobNotices, type JobNotice } from '../../src/jobs/events.js';
import { JournalDatabase } from '../../src/jobs/journal-database.js';
import type { Journal } from '../../src/jobs/journal.js';
import { JobQueue } from '../../src/jobs/queue.js';
import { Runner, type RunnerOptions } from '../../src/jobs/runner.js';
import { jobOf } from './jobs.js';

/** Stands in for the engine's main module: tells of a node's output, and is done once the file exists that the workflow names. */
const ENGINE = `
  const { existsSync } = require('node:fs');
  process.on('message', ({ kind, id, task }) => {
    if (kind === 'shutdown') process.exit(0);
    if (kind !== 'run') return;
    const about = { workflow: 0, at: Date.now(), node: '9', class_type: 'SaveImage' };
    const ui = { images: [{ filename: id, subfolder: '', type: 'temp', path: '/' + id }] };
    process.send({ kind: 'event', id, event: { ...about, type: 'executed', ui, cached: false, ms: 1 } });
    const waiting = setInterval(() => {
      if (!existsSync(task.workflow)) return;
      clearInterval(waiting);
      process.send({ kind: 'done', id, outputs: [{ workflow: 0, node: '9', ui }] });
    }, 5);
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ kind: 'ready' });
`;

let folder: string;
let database: JournalDatabase;
let engines: EngineHost[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-runner-'));
  writeFileSync(join(folder, 'engine.cjs'), ENGINE);
  database = new JournalDatabase(join(folder, 'journal.sqlite'));
  engines = [0, 1].map(
    () =>
      new EngineHost({
        entry: join(folder, 'engine.cjs'),
        settings: {
          folders: { models: folder, input: folder, output: folder, temp: folder },
          device: 'cpu',
        },
        log: pino({ level: 'silent' }),
        onEnd: () => undefined,
      }),
  );
});
afterEach(async () => {
  for (const engine of engines) await engine.stop(1000);
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The journal without its thread. */
function journalOf(tables: JournalDatabase): RunnerOptions['journal'] & Pick<Journal, 'accept'> {
  return {
    accept: (...args) => Promise.resolve(tables.accept(...args)),
    begin: (...args) => Promise.resolve(tables.begin(...args)),
    requeue: (...args) => {
      tables.requeue(...args);
      return Promise.resolve();
    },
    finish: (...args) => Promise.resolve(tables.finish(...args)),
    amend: (...args) => Promise.resolve(tables.amend(...args)),
    recordTimes: (...args) => {
      tables.recordTimes(...args);
      return Promise.resolve();
    },
  };
}

test('two engines work off one queue side by side, and every event of a job is told', async () => {
  const journal = journalOf(database);
  const queue = new JobQueue(journal, [], () => 10, new Estimates([]));
  const heard: JobNotice[] = [];
  let wake: () => void = () => undefined;
  const notices = new JobNotices((error) => {
    throw error;
  });
  notices.subscribe((notice) => {
    heard.push(notice);
    wake();
  });
  const told = async (kind: JobNotice['kind'], id: string) => {
    while (!heard.some((notice) => notice.kind === kind && notice.job.id === id)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const runner = new Runner({
    queue,
    journal,
    engines,
    notices,
    estimates: new Estimates([]),
    workFolder: join(folder, 'work'),
    log: pino({ level: 'silent' }),
    bounds: () => ({ timeLimit: 60, silence: 60 }),
    onJobOver: () => undefined,
  });
  const stopping = new AbortController();
  const working = runner.work(stopping.signal);
  const release = (name: string) => {
    writeFileSync(join(folder, name), '');
  };
  for (const id of ['slow', 'quick', 'next']) {
    await queue.accept(jobOf(id, { task: { workflow: join(folder, `release-${id}`) } }));
  }
  await told('event', 'slow');
  await told('event', 'quick');
  expect(runner.running.map(({ job, engine }) => [job.id, engine])).toEqual([
    ['slow', 0],
    ['quick', 1],
  ]);
  expect(queue.pending.map(({ id }) => id)).toEqual(['next']);
  release('release-quick');
  await told('event', 'next');
  expect(runner.running.map(({ job, engine }) => [job.id, engine])).toEqual([
    ['slow', 0],
    ['next', 1],
  ]);
  // A job that runs beside others is cancelled alone.
  expect(await runner.cancel('nobody')).toBe(false);
  release('release-next');
  await told('over', 'next');
  release('release-slow');
  await told('over', 'slow');
  stopping.abort();
  await working;

  const of = (id: string) => heard.filter(({ job }) => job.id === id);
  expect(of('slow').map(({ kind }) => kind)).toEqual(['started', 'event', 'over']);
  expect(of('slow')[0]).toMatchObject({ metadata: { of: 'slow' } });
  const event = of('slow').flatMap((notice): JobEvent[] => (notice.kind === 'event' ? [notice.event] : []));
  expect(event).toMatchObject([{ type: 'executed', node: '9', ui: { images: [{ filename: 'slow' }] } }]);
  for (const id of ['slow', 'quick', 'next']) {
    expect(database.find(id)?.outcome).toMatchObject({
      state: 'completed',
      outputs: [{ workflow: 0, node: '9', ui: { images: [{ filename: id }] } }],
    });
  }
});
