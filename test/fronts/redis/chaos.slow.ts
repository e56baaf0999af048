/**
 * Engines, daemons and Redis are killed at random while tiny jobs come over Redis: none is lost, every output is stored once, every
 * status is told, and nothing lies about. `JOBS`, `KILLS`, `DAEMONS`, `ENGINES` make more of it; `SEED` repeats a run's choices.
 */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';
import { RedisServer } from '../../support/redis-server.js';

const amount = (name: string, byDefault: number) => Number(process.env[name] ?? byDefault);
const JOBS = amount('JOBS', 200);
const KILLS = amount('KILLS', 20);
const DAEMONS = amount('DAEMONS', 2);
const ENGINES = amount('ENGINES', 2);
const HEARTBEAT_MS = amount('HEARTBEAT_MS', 2000);
const SEED = amount('SEED', Math.floor(Math.random() * 2 ** 31));

const DATA = 'stream:data';
const server = new RedisServer();
const homes = Array.from({ length: DAEMONS }, () => new DaemonHome());
const shared = homes[0]!.path('shared-output');
const daemons: DaemonProcess[] = [];

let state = SEED;
/** A linear congruence, which is enough for choosing victims (Numerical Recipes). */
const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;

const launch = (index: number) =>
  homes[index]!.launch(
    ...['--device', Array.from({ length: ENGINES }, () => 'cpu').join(',')],
    ...['--redis', server.url, '--redis-heartbeat', `${HEARTBEAT_MS / 1000}s`, '--output', shared],
  );

beforeAll(async () => {
  buildCli();
  mkdirSync(shared, { recursive: true });
  await server.start();
  for (let index = 0; index < DAEMONS; index++) daemons.push(launch(index));
});
afterAll(async () => {
  for (const daemon of daemons) await daemon.stop('SIGKILL');
  for (const home of homes) home.remove();
  await server.remove();
});

function graph(id: string, number: number): string {
  const workflow = {
    1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: number } },
    2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: id } },
  };
  const node = {
    id: 'a',
    service: 'comfyui.workflow',
    plane: 'python',
    status: 'pending',
    params: { workflow },
  };
  return JSON.stringify({ schema: 'langgraph.v1', workflowId: id, nodes: [node], edges: [] });
}

/** Files below a folder. */
function files(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(`${folder}/${name}`).isFile(),
  );
}

test(
  `${JOBS} jobs on ${DAEMONS}×${ENGINES} engines, ${KILLS} kills (SEED=${SEED})`,
  { timeout: 3_600_000 },
  async () => {
    const redis = server.client();
    const ids = Array.from({ length: JOBS }, (_, index) => `job-${index}`);
    const kills: Record<string, number> = { engine: 0, daemon: 0, redis: 0 };
    const statuses = async () => {
      const values = await redis.mget(ids.map((id) => `job:${id}:status`));
      return values.map((status) => status ?? 'none');
    };
    const isOver = (status: string) => status === 'completed' || status === 'failed';
    let longestSilence = 0;
    const finished = new AbortController();
    const watching = (async () => {
      const watcher = server.client();
      while (!finished.signal.aborted) {
        const pending = (await watcher.xpending(DATA, 'workers', '-', '+', 100).catch(() => [])) as [
          string,
          string,
          number,
          number,
        ][];
        for (const [, consumer, idle] of pending) {
          if (consumer !== 'handed-back') longestSilence = Math.max(longestSilence, idle);
        }
        await delay(100);
      }
    })();
    const began = performance.now();
    let submitted = 0;
    const submitUpTo = async (count: number) => {
      for (; submitted < count; submitted++) {
        const id = ids[submitted]!;
        await redis.xadd(
          DATA,
          '*',
          'jobId',
          id,
          'created',
          String(Date.now()),
          'graph',
          graph(id, submitted),
        );
      }
    };
    for (let count = 0; count < KILLS;) {
      await submitUpTo(Math.ceil(((count + 1) / KILLS) * JOBS));
      // Kills go with the work: where nothing is up for long, nothing is learned but how slow a start is here.
      const enough = (count / KILLS) * JOBS - DAEMONS * ENGINES;
      while ((await statuses()).filter(isOver).length < enough) await delay(200);
      await delay(random() * 1500);
      const which = Math.floor(random() * DAEMONS);
      const draw = random();
      if (draw < 0.15) {
        count++;
        kills['redis']!++;
        await server.kill();
        await server.start();
      } else if (draw < 0.4) {
        count++;
        kills['daemon']!++;
        await daemons[which]!.stop('SIGKILL');
        daemons[which] = launch(which);
      } else {
        const engines = daemons[which]!.log.filter(({ msg }) => msg === 'engine started').slice(-ENGINES);
        const victim = engines[Math.floor(random() * engines.length)]?.['engine'];
        try {
          if (victim === undefined) continue;
          process.kill(Number(victim), 'SIGKILL');
          count++;
          kills['engine']!++;
        } catch {
          // It has ended before.
        }
      }
    }
    while (!(await statuses()).every(isOver)) await delay(200);
    const seconds = (performance.now() - began) / 1000;
    finished.abort();
    await watching;
    const ends = await statuses();
    const failed = ids.filter((_, index) => ends[index] === 'failed');
    const errors: string[] = [];
    for (const id of failed) {
      const text = await redis.hget(`job:${id}`, 'graph');
      const { nodes } = JSON.parse(text!) as { nodes: { error?: { message: string } }[] };
      errors.push(nodes[0]!.error!.message);
    }
    // Whoever has an engine die under it three times is told so; nothing else may fail.
    expect(errors.filter((error) => !error.startsWith('given up after 3 attempts'))).toEqual([]);
    while (((await redis.xpending(DATA, 'workers')) as [number])[0] > 0) await delay(100);
    const dead = await redis.xlen(`${DATA}:dead`);
    // A daemon that dies leaves files behind that its successor clears away.
    for (const [index, daemon] of daemons.entries()) {
      await daemon.logged('work is taken from redis');
      await daemon.stop();
      daemons[index] = launch(index);
      await daemons[index].logged('work is taken from redis');
    }
    const left = files(shared);
    console.log({
      kills,
      seconds,
      failed: failed.length,
      dead,
      longestSilence,
      heartbeats: longestSilence / HEARTBEAT_MS,
    });
    expect(dead).toBe(0);
    expect(left.filter((name) => !name.startsWith('artifacts/'))).toEqual([]);
    expect(left).toHaveLength(JOBS - failed.length);
  },
);
