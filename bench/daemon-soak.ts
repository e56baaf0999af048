/**
 * What the daemon and its engine keep after a long day: memory after many small jobs and many malformed messages, and what an
 * idle daemon costs. `JOBS` sets how many jobs.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { decode } from '@msgpack/msgpack';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../test/cli/latentd.js';
import { DaemonHome, generate, residentBytes, type DaemonProcess } from '../test/support/daemon-process.js';
import { hostileMessages } from '../test/support/hostile-messages.js';
import { openFigures, processorSeconds } from './harness/figures.js';

const { figure } = openFigures(
  'daemon-soak',
  'What the daemon and its engine keep after many small jobs and malformed messages, and what an idle daemon costs.',
);

const JOBS = Number(process.env['JOBS'] ?? 1000);
const MALFORMED = 10_000;

let home: DaemonHome;
let daemon: DaemonProcess;

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  daemon = await home.start();
});
afterAll(async () => {
  await daemon.stop('SIGKILL');
  home.remove();
});

const megabytes = (bytes: number) => bytes / 2 ** 20;

test('an idle daemon', async () => {
  await delay(15_000);
  figure('daemon, resident', megabytes(residentBytes(daemon.pid)), 'MB', { below: 100 });
  figure('engine, resident', megabytes(residentBytes(daemon.enginePid)), 'MB');
  const before = [daemon.pid, daemon.enginePid].map(processorSeconds);
  await delay(20_000);
  const [served = 0, sampled = 0] = [daemon.pid, daemon.enginePid].map(processorSeconds);
  figure('daemon, processor', (served - before[0]!) * 5, '%', { below: 0.5 });
  figure('engine, processor', (sampled - before[1]!) * 5, '%', { below: 0.5 });
});

test(`${MALFORMED} malformed messages, five times over`, async () => {
  const client = daemon.client();
  const rounds: { readonly resident: number; readonly open: number }[] = [];
  for (let round = 0; round < 5; round++) {
    for (const message of hostileMessages(MALFORMED)) {
      expect(decode(await client.askRaw(message))).toMatchObject({ type: 'error' });
    }
    // Longer than the daemon waits between two collections.
    await delay(11_000);
    rounds.push({
      resident: residentBytes(daemon.pid),
      open: readdirSync(`/proc/${daemon.pid}/fd`).length,
    });
  }
  expect(await client.ask({ type: 'ping' })).toEqual({ type: 'pong' });
  // The first rounds compile; what leaks goes on growing.
  const [, second, , , fifth] = rounds.map(({ resident }) => megabytes(resident));
  figure('daemon, resident after the second round', second!, 'MB');
  figure('  growth a round from there to the fifth', (fifth! - second!) / 3, 'MB', { below: 1 });
  figure('open files, more than after the first', rounds.at(-1)!.open - rounds[0]!.open, 'files', {
    below: 1,
  });
  client.close();
});

test(`${JOBS} jobs`, async () => {
  const client = daemon.client();
  const listener = await daemon.listen();
  const resident: { readonly jobs: number; readonly daemon: number; readonly engine: number }[] = [];
  const began = performance.now();
  for (let jobs = 1; jobs <= JOBS; jobs++) {
    const request = generate({ prompt: `knight number ${jobs}`, steps: 2 });
    await client.accept(request);
    const last = (await listener.untilOver(request.id)).at(-1)!;
    expect(last.type).toBe('job_complete');
    listener.forget();
    if (jobs % 100 === 0 || jobs === JOBS) {
      await delay(500);
      const [daemonBytes, engineBytes] = [residentBytes(daemon.pid), residentBytes(daemon.enginePid)];
      resident.push({ jobs, daemon: daemonBytes, engine: engineBytes });
      console.log(
        `  ${jobs} jobs: daemon ${megabytes(daemonBytes).toFixed(1)} MB, engine ${megabytes(engineBytes).toFixed(1)} MB`,
      );
    }
  }
  figure('milliseconds a job', (performance.now() - began) / JOBS, 'ms');
  const [first, last] = [resident[0]!, resident.at(-1)!];
  figure('daemon, after the last to after the 100th', (last.daemon / first.daemon - 1) * 100, '%', {
    below: 5,
  });
  figure('engine, after the last to after the 100th', (last.engine / first.engine - 1) * 100, '%', {
    below: 5,
  });
  client.close();
  listener.close();
});
