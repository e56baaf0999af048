import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineHost, type AttemptEnd, type EngineJob } from '../../src/jobs/engine-host.js';
import { collectGarbage } from '../support/collect-garbage.js';

/** Stands in for the engine's main module: it does what the workflow says. */
const ENGINE = `
  process.on('message', ({ kind, id, task }) => {
    if (kind === 'shutdown') process.exit(0);
    if (kind !== 'run') return;
    if (task.workflow === 'die') process.exit(3);
    process.send({ kind: 'done', id, outputs: [] });
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ kind: 'ready' });
`;

let folder: string;
let host: EngineHost;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-engine-'));
  const entry = join(folder, 'engine.cjs');
  writeFileSync(entry, ENGINE);
  host = new EngineHost({
    entry,
    settings: {
      folders: { models: folder, input: folder, output: folder, temp: folder },
      device: 'cpu',
    },
    log: pino({ level: 'silent' }),
    onEnd: () => undefined,
  });
});
afterEach(async () => {
  await host.stop(1000);
  rmSync(folder, { recursive: true, force: true });
});

function job(id: string, workflow: string): EngineJob {
  return {
    id,
    task: { workflow },
    workFolder: folder,
    onEvent: () => undefined,
    signal: new AbortController().signal,
  };
}

const run = (one: EngineJob): Promise<AttemptEnd> => host.run(one, { timeLimit: 20, silence: 20 });

test('nothing of a job that is over is kept, however long its engine lives', async () => {
  const jobs: WeakRef<EngineJob>[] = [];
  for (let count = 0; count < 50; count++) {
    const one = job(`job-${count}`, 'draw');
    jobs.push(new WeakRef(one));
    expect(await run(one)).toEqual({ kind: 'done', id: one.id, outputs: [] });
  }
  await delay(10);
  collectGarbage();
  // The last one may still be on the stack.
  expect(jobs.slice(0, -1).filter((each) => each.deref() !== undefined)).toEqual([]);
  expect(host.info.restarts).toBe(0);
});

test('an engine that ends tells the job it had, and the next job has a new one', async () => {
  expect(await run(job('a', 'die'))).toEqual({
    kind: 'died',
    cause: 'the engine process ended (exit code 3)',
  });
  expect(await run(job('b', 'draw'))).toMatchObject({ kind: 'done' });
  expect(host.info.restarts).toBe(1);
});
