import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Device } from '../../src/config/device.js';
import type { JobEvent } from '../../src/engine-process/messages.js';
import { DeviceHealth } from '../../src/jobs/device-health.js';
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
  const settings = JSON.parse(process.argv[2]);
  const { existsSync } = require('node:fs');
  process.on('message', ({ kind, id, task }) => {
    if (kind === 'shutdown') process.exit(0);
    if (kind !== 'run') return;
    // A device that keeps failing.
    if (settings.device === 'cuda:1') process.exit(3);
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
let engines: EngineHost[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-runner-'));
  writeFileSync(join(folder, 'engine.cjs'), ENGINE);
  database = new JournalDatabase(join(folder, 'journal.sqlite'));
});
afterEach(async () => {
  await stopAll();
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

const stopAll = () => Promise.all(engines.map((engine) => engine.stop(1000)));

/** A runner of engines on these devices, all of them ready. */
async function startAll(devices: readonly Device[]) {
  const log = pino({ level: 'silent' });
  const journal = journalOf(database);
  const estimates = new Estimates([]);
  const queue = new JobQueue(journal, [], () => 10, estimates);
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
  const health = new DeviceHealth(devices, log, () => undefined);
  engines = devices.map(
    (device) =>
      new EngineHost({
        entry: join(folder, 'engine.cjs'),
        settings: { folders: { models: folder, input: folder, output: folder, temp: folder }, device },
        log,
        onEnd: () => undefined,
        onReady: () => {
          runner.handOut();
        },
      }),
  );
  const runner: Runner = new Runner({
    queue,
    journal,
    engines,
    notices,
    estimates,
    health,
    workFolder: join(folder, 'work'),
    log,
    bounds: () => ({ timeLimit: 60, silence: 60 }),
    onJobOver: () => undefined,
  });
  await Promise.all(engines.map((engine) => engine.warmUp()));
  const stopping = new AbortController();
  const working = runner.work(stopping.signal);
  return { runner, queue, health, heard, told, stopping, working };
}

test('two engines work off one queue side by side, and every event of a job is told', async () => {
  const { runner, queue, heard, told, stopping, working } = await startAll(['cpu', 'cpu']);
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

test('a device that keeps failing costs no job: another engine does it, and the device is set aside', async () => {
  const { queue, health, heard, told, stopping, working } = await startAll(['cpu', 'cuda:1']);
  writeFileSync(join(folder, 'now'), '');
  const ids = Array.from({ length: 10 }, (_, index) => `job-${index}`);
  const submit = (id: string) => queue.accept(jobOf(id, { task: { workflow: join(folder, 'now') } }));
  // Of two jobs, it is given one whenever it is up again.
  for (let count = 0; health.setAside(1) === undefined; count++) {
    const both = [`more-${count}`, `and-${count}`];
    ids.push(...both);
    for (const id of both) await submit(id);
    for (const id of both) await told('over', id);
  }
  expect(health.setAside(1)).toMatchObject({ cause: 'the engine process ended (exit code 3)' });
  for (const id of ids.slice(0, 10)) await submit(id);
  for (const id of ids) await told('over', id);
  stopping.abort();
  await working;
  for (const id of ids) {
    const kinds = heard.filter(({ job, kind }) => job.id === id && kind !== 'event').map(({ kind }) => kind);
    expect([id, kinds, database.find(id)?.state]).toEqual([id, ['started', 'over'], 'completed']);
  }
  const attempts = ids.map((id) => database.find(id)!.attempts);
  expect(attempts.filter((count) => count === 2)).toHaveLength(3);
  expect(attempts.filter((count) => count === 1)).toHaveLength(ids.length - 3);
});
