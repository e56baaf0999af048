/**
 * A worker on Redis: what an idle one takes, how soon work that arrives is done, and what the heartbeats of a thousand workers cost the
 * server.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, test } from 'vitest';
import { HEARTBEAT } from '../src/fronts/redis/scripts.js';
import { buildCli } from '../test/cli/latentd.js';
import { DaemonHome, residentBytes, type DaemonProcess } from '../test/support/daemon-process.js';
import { RedisServer } from '../test/support/redis-server.js';
import { openFigures, percentile, processorSeconds } from './harness/figures.js';

const { figure } = openFigures(
  'redis-worker',
  'A worker on Redis: idle, with work that arrives, and a thousand of them keeping their entries.',
);

const DATA = 'stream:data';
const WORKERS = 1000;
const HEARTBEAT_SECONDS = 10;
const home = new DaemonHome();
const server = new RedisServer();
let redis: Redis;
let daemon: DaemonProcess;

beforeAll(async () => {
  buildCli();
  await server.start();
  redis = server.client();
  daemon = await home.start('--device', 'cpu', '--redis', server.url);
});
afterAll(async () => {
  await daemon.stop('SIGKILL');
  await server.remove();
  home.remove();
});

/** A line of Redis' INFO. */
async function info(section: string, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(.*)$`, 'm').exec(await redis.info(section))?.[1] ?? 0);
}

test('an idle worker', async () => {
  await delay(15_000);
  figure('daemon, resident', residentBytes(daemon.pid) / 2 ** 20, 'MB', { below: 120 });
  const before = [await info('stats', 'total_commands_processed'), processorSeconds(daemon.pid)] as const;
  await delay(20_000);
  figure('commands', ((await info('stats', 'total_commands_processed')) - before[0]) / 20, 'a second', {
    below: 1,
  });
  figure('daemon, processor', (processorSeconds(daemon.pid) - before[1]) * 5, '%', { below: 1 });
});

test('work that arrives', async () => {
  const listener = server.client();
  const heard = new Map<string, number>();
  let wake: () => void = () => undefined;
  listener.on('pmessage', (_: string, channel: string, text: string) => {
    const { status } = JSON.parse(text) as { status: string };
    heard.set(`${channel.split(':')[2]!} ${status}`, performance.now());
    wake();
  });
  await listener.psubscribe('channel:status:*');
  const claims: number[] = [];
  const ends: number[] = [];
  for (let index = 0; index < 60; index++) {
    const id = `job-${index}`;
    const workflow = {
      1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: index } },
      2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'bench' } },
    };
    const node = {
      id: 'a',
      service: 'comfyui.workflow',
      plane: 'python',
      status: 'pending',
      params: { workflow },
    };
    const graph = JSON.stringify({ schema: 'langgraph.v1', workflowId: id, nodes: [node], edges: [] });
    const began = performance.now();
    await redis.xadd(DATA, '*', 'jobId', id, 'created', '0', 'graph', graph);
    while (!heard.has(`${id} completed`)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    claims.push(heard.get(`${id} running`)! - began);
    ends.push(heard.get(`${id} completed`)! - heard.get(`${id} running`)!);
  }
  figure('added to claimed and told', percentile(claims.slice(10), 0.5), 'ms', { below: 10 });
  // A whole job: checked, kept on disk twice, run, a picture saved, hashed and moved, its end written.
  figure('claimed to done', percentile(ends.slice(10), 0.5), 'ms');
});

test(`heartbeats of ${WORKERS} workers, an entry each`, async () => {
  const stream = 'bench:stream';
  await redis.xgroup('CREATE', stream, 'workers', '0', 'MKSTREAM');
  const claims: [consumer: string, entry: string][] = [];
  for (let index = 0; index < WORKERS; index++) {
    const entry = (await redis.xadd(stream, '*', 'jobId', String(index)))!;
    await redis.xreadgroup('GROUP', 'workers', `worker-${index}`, 'COUNT', 1, 'STREAMS', stream, '>');
    claims.push([`worker-${index}`, entry]);
  }
  const processor = async () => (await info('cpu', 'used_cpu_user')) + (await info('cpu', 'used_cpu_sys'));
  const before = await processor();
  const ROUNDS = 10;
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      claims.map(([consumer, entry]) => redis.eval(HEARTBEAT, 1, stream, 'workers', consumer, entry, '1')),
    );
  }
  const each = ((await processor()) - before) / (ROUNDS * WORKERS);
  figure('of a core', ((each * WORKERS) / HEARTBEAT_SECONDS) * 100, '%', { below: 1 });
});
