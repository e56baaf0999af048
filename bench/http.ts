/**
 * How fast ComfyUI's API takes prompts and tells of node classes, and what sockets cost. Clients are threads of this process, on the
 * same machine as the daemon; the engine is kept busy, so that prompts are only accepted.
 */
import { createRequire } from 'node:module';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../test/cli/latentd.js';
import { picture } from '../test/fronts/comfyui/prompts.js';
import { DaemonHome, residentBytes, type DaemonProcess } from '../test/support/daemon-process.js';
import { openFigures, percentile, processorSeconds } from './harness/figures.js';

const { figure } = openFigures(
  'http',
  "How fast ComfyUI's API takes prompts and tells of node classes, and what its sockets cost.",
);

const CLIENTS = 32;
const PROMPTS = 10_000;
const SOCKETS = 1000;

let home: DaemonHome;
let daemon: DaemonProcess;

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  daemon = await home.start('--http', '0', '--device', 'cpu', '--queue-capacity', '1000000');
});
afterAll(async () => {
  await daemon.stop('SIGKILL');
  home.remove();
});

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

/** Milliseconds until it was answered. */
function ask(
  method: string,
  path: string,
  body?: string,
): Promise<{ readonly ms: number; readonly text: string }> {
  const { hostname, port } = new URL(daemon.httpAddress);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method, agent }, (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.on('end', () => {
        resolve({ ms: performance.now() - began, text: Buffer.concat(parts).toString() });
      });
    })
      .on('error', reject)
      .end(body);
  });
}

const body = (seed: number) => JSON.stringify({ prompt: picture({ seed, steps: 20 }), client_id: 'bench' });

test(`${SOCKETS} idle sockets`, async () => {
  const WebSocket = createRequire(import.meta.url)('ws') as new (url: string) => {
    once(event: string, listener: () => void): void;
    close(): void;
  };
  const before = residentBytes(daemon.pid);
  const sockets = await Promise.all(
    Array.from({ length: SOCKETS }, async (_, index) => {
      const socket = new WebSocket(`${daemon.httpAddress.replace('http', 'ws')}/ws?clientId=idle-${index}`);
      await new Promise<void>((resolve) => {
        socket.once('message', resolve);
      });
      return socket;
    }),
  );
  await delay(2000);
  figure('resident, with them', residentBytes(daemon.pid) / 2 ** 20, 'MB', { below: 150 });
  figure('  each', (residentBytes(daemon.pid) - before) / SOCKETS / 1024, 'kB');
  for (const socket of sockets) socket.close();
});

test('the node classes', async () => {
  const { text } = await ask('GET', '/object_info');
  const times: number[] = [];
  for (let index = 0; index < 20; index++) times.push((await ask('GET', '/object_info')).ms);
  figure('/object_info', percentile(times, 0.5), 'ms', { below: 50 });
  figure('  95th percentile', percentile(times, 0.95), 'ms');
  figure('  size', text.length / 1000, 'kB');
});

test('one prompt after the other', async () => {
  // Keeps the engine busy.
  await ask('POST', '/prompt', JSON.stringify({ prompt: picture({ steps: 10_000 }) }));
  for (let index = 0; index < 300; index++) await ask('POST', '/prompt', body(index));
  const times: number[] = [];
  for (let index = 0; index < 1000; index++) times.push((await ask('POST', '/prompt', body(index))).ms);
  figure('/prompt, durably accepted', percentile(times, 0.5), 'ms');
  figure('  99th percentile', percentile(times, 0.99), 'ms', { below: 10 });
});

test(`prompts of ${CLIENTS} clients`, async () => {
  const times: number[] = [];
  let left = PROMPTS;
  const [began, used] = [performance.now(), processorSeconds(daemon.pid)];
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left-- > 0) {
        const { ms, text } = await ask('POST', '/prompt', body(left));
        expect(text).toContain('"number"');
        times.push(ms);
      }
    }),
  );
  figure('prompts a second', (PROMPTS / (performance.now() - began)) * 1000, 'a second', { atLeast: 1000 });
  figure('  each, 99th percentile', percentile(times, 0.99), 'ms');
  const seconds = processorSeconds(daemon.pid) - used;
  figure("  the daemon's processor time", (seconds / PROMPTS) * 1e6, 'µs');
});
