import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCli } from '../cli/latentd.js';
import {
  DaemonHome,
  generate,
  isAlive,
  type Client,
  type DaemonProcess,
  type Listener,
} from '../support/daemon-process.js';

let home: DaemonHome;
let daemon: DaemonProcess;
let client: Client;
let listener: Listener;

async function start(...args: readonly string[]): Promise<void> {
  daemon = await home.start(...args);
  client = daemon.client();
  listener = await daemon.listen();
}

async function crash(): Promise<void> {
  client.close();
  listener.close();
  await daemon.stop('SIGKILL');
}

async function jobOf(id: string): Promise<unknown> {
  return (await client.ask({ type: 'status', job_id: id }))['job'];
}

const sampling = (id: string) => (message: Readonly<Record<string, unknown>>) =>
  message['job_id'] === id && message['stage'] === 'sampling' && Number(message['step']) > 0;

/** Long enough that it never ends by itself while a test looks at it. */
const endless = (values: object = {}) => generate({ steps: 5000, ...values });

beforeAll(buildCli);
beforeEach(() => {
  home = new DaemonHome();
});
afterEach(async () => {
  client.close();
  listener.close();
  await daemon.stop('SIGKILL');
  home.remove();
});

describe('a daemon that is killed', () => {
  test('leaves a queue that the next one works off, once each and in order', async () => {
    await start();
    const requests = Array.from({ length: 4 }, (_, index) =>
      generate({ steps: index === 0 ? 150 : 2, seed: index }),
    );
    for (const request of requests) await client.accept(request);
    await listener.until(sampling(requests[0]!.id));
    const engine = daemon.enginePid;
    await crash();
    for (let waited = 0; isAlive(engine) && waited < 5000; waited += 50) await delay(50);
    expect(isAlive(engine)).toBe(false);

    await start();
    expect(await daemon.logged('unfinished jobs go on')).toMatchObject({ jobs: 4 });
    await listener.untilOver(requests.at(-1)!.id);
    const finished = listener.heard.filter(({ type }) => type === 'job_complete');
    expect(finished.map((message) => message['job_id'])).toEqual(requests.map(({ id }) => id));
    for (const { id } of requests) expect(await jobOf(id)).toMatchObject({ state: 'completed' });
    await crash();

    await start();
    await delay(300);
    expect(listener.heard).toEqual([]);
    expect(await client.ask({ type: 'status' })).toMatchObject({ queue_size: 0, active_jobs: 0 });
    expect(await jobOf(requests[0]!.id)).toMatchObject({
      state: 'completed',
      image_path: expect.any(String) as unknown,
    });
  });

  test('does not forget a cancellation that it confirmed', async () => {
    await start();
    const request = endless();
    await client.accept(request);
    await listener.until(sampling(request.id));
    expect(await client.ask({ type: 'cancel', job_id: request.id })).toMatchObject({ type: 'job_cancelled' });
    await crash();
    await start();
    expect(await client.ask({ type: 'status' })).toMatchObject({ queue_size: 0, active_jobs: 0 });
    expect(await jobOf(request.id)).toMatchObject({ state: 'cancelled', error: 'Job cancelled' });
  });
});

describe('an engine that dies', () => {
  test('costs one attempt, and nobody is told of a second start', async () => {
    await start();
    const request = generate({ steps: 150 });
    await client.accept(request);
    await listener.until(sampling(request.id));
    process.kill(daemon.enginePid, 'SIGKILL');
    const heard = await listener.untilOver(request.id);
    expect(heard.filter(({ type }) => type === 'job_started')).toHaveLength(1);
    expect(heard.at(-1)!.type).toBe('job_complete');
    const percents = heard.flatMap(({ percent }) => (percent === undefined ? [] : [Number(percent)]));
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(await jobOf(request.id)).toMatchObject({ state: 'completed', attempts: 2 });
    expect(readdirSync(home.path('output'))).toHaveLength(1);
  });

  test('three times under the same job ends that job, and the next one runs', async () => {
    await start();
    const request = endless();
    const next = generate({ steps: 1 });
    await client.accept(request);
    await client.accept(next);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const from = daemon.log.length;
      const told = listener.heard.length;
      await listener.until(
        (message) => listener.heard.indexOf(message) >= told && sampling(request.id)(message),
      );
      process.kill(daemon.enginePid, 'SIGKILL');
      await daemon.logged('engine ended', from);
    }
    const heard = await listener.untilOver(request.id);
    expect(heard.at(-2)).toMatchObject({ type: 'job_finished', success: false });
    expect(heard.at(-1)!['error']).toMatch(/^given up after 3 attempts: the engine process ended \(SIGKILL/);
    expect((await listener.untilOver(next.id)).at(-1)!.type).toBe('job_complete');
    expect(await client.ask({ type: 'status' })).toMatchObject({ engine: { restarts: 3 } });
  });

  test('while it does nothing is replaced at once', async () => {
    await start();
    for (let waited = 0; waited < 20_000; waited += 50) {
      const { engine } = await client.ask({ type: 'status' });
      if ((engine as { state: string }).state === 'ready') break;
      await delay(50);
    }
    const before = daemon.enginePid;
    const from = daemon.log.length;
    process.kill(before, 'SIGSEGV');
    await daemon.logged('engine started', from);
    const request = generate({ steps: 1 });
    await client.accept(request);
    expect((await listener.untilOver(request.id)).at(-1)!.type).toBe('job_complete');
    expect(await jobOf(request.id)).toMatchObject({ attempts: 1 });
  });

  test('by hanging is ended', async () => {
    await start('--engine-timeout', '3s');
    const request = generate({ steps: 150 });
    await client.accept(request);
    await listener.until(sampling(request.id));
    process.kill(daemon.enginePid, 'SIGSTOP');
    expect(await daemon.logged('engine ended')).toMatchObject({
      cause: 'the engine gave no sign of life for 3 s',
    });
    expect((await listener.untilOver(request.id)).at(-1)!.type).toBe('job_complete');
  });
});

test('a daemon that was stopped for longer than an engine may be silent leaves its healthy engine alone', async () => {
  await start('--engine-timeout', '3s');
  const request = endless();
  await client.accept(request);
  await listener.until(sampling(request.id));
  const engine = daemon.enginePid;
  daemon.kill('SIGSTOP');
  await delay(4500);
  daemon.kill('SIGCONT');
  const from = listener.heard.length;
  await listener.until((message) => listener.heard.indexOf(message) >= from && sampling(request.id)(message));
  expect(daemon.log.filter(({ msg }) => msg === 'engine ended')).toEqual([]);
  expect(daemon.enginePid).toBe(engine);
  expect(isAlive(engine)).toBe(true);
});

test('percent go on where the last daemon was', async () => {
  await start();
  const request = endless({ steps: 500 });
  await client.accept(request);
  const percentOf = (message: Readonly<Record<string, unknown>>) =>
    message['job_id'] === request.id ? Number(message['percent']) : NaN;
  await listener.until((message) => percentOf(message) > 45);
  const told = Math.max(...listener.heard.map(percentOf).filter((percent) => percent > 0));
  await crash();
  await start();
  const first = await listener.until((message) => percentOf(message) >= 0);
  expect(percentOf(first)).toBeGreaterThanOrEqual(told);
});

test('a job over its time limit is ended', async () => {
  await start('--job-time-limit', '1s');
  const request = endless();
  await client.accept(request);
  const heard = await listener.untilOver(request.id);
  expect(heard.at(-1)!['error']).toBe('given up after 3 attempts: the job took longer than its limit of 1 s');
});

describe('cancelling', () => {
  test('ends a waiting job at once and a running one within a step, and leaves nothing behind', async () => {
    await start();
    const running = endless({ size: [128, 128] });
    const waiting = generate();
    await client.accept(running);
    await client.accept(waiting);
    await listener.until(({ type }) => type === 'preview');
    expect(await client.ask({ type: 'cancel', job_id: waiting.id })).toEqual({
      type: 'job_cancelled',
      job_id: waiting.id,
    });
    expect((await listener.untilOver(waiting.id)).map(({ type }) => type)).toEqual([
      'job_finished',
      'job_error',
    ]);

    const lastStep = Number(listener.of(running.id).at(-1)!['step']);
    const asked = performance.now();
    await client.ask({ type: 'cancel', job_id: running.id });
    const heard = await listener.untilOver(running.id);
    expect(performance.now() - asked).toBeLessThan(3000);
    expect(heard.at(-2)).toMatchObject({ type: 'job_finished', success: false });
    expect(heard.at(-1)).toMatchObject({ type: 'job_error', error: 'Job cancelled' });
    expect(heard.filter(({ step }) => Number(step) > lastStep + 20)).toEqual([]);
    expect(readdirSync(home.path('latentd-data/work'))).toEqual([]);

    for (const { id } of [running, waiting]) {
      expect(await client.ask({ type: 'cancel', job_id: id })).toEqual({
        type: 'job_error',
        job_id: id,
        error: 'Job not found or already completed',
      });
    }
    const next = generate();
    await client.accept(next);
    expect((await listener.untilOver(next.id)).at(-1)!.type).toBe('job_complete');
  });

  test('takes the time that the job would still have needed out of what later ones are told', async () => {
    await start();
    const long = endless();
    await client.accept(long);
    await listener.until(sampling(long.id));
    const behind = await client.ask(generate());
    await client.ask({ type: 'cancel', job_id: long.id });
    const free = await client.ask(generate());
    expect(Number(behind['estimated_time_s'])).toBeGreaterThan(10 * Number(free['estimated_time_s']));
  });

  test('works while the engine is still starting', async () => {
    await start();
    const request = endless();
    await client.accept(request);
    expect(await client.ask({ type: 'cancel', job_id: request.id })).toMatchObject({ type: 'job_cancelled' });
    expect((await listener.untilOver(request.id)).at(-1)).toMatchObject({ error: 'Job cancelled' });
  });
});
