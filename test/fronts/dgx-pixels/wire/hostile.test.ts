import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decode, encode } from '@msgpack/msgpack';
import { afterEach, expect, test } from 'vitest';
import { Dealer, Request } from 'zeromq';
import { RequestSocket } from '../../../../src/fronts/dgx-pixels/wire/request-socket.js';
import { collectGarbage } from '../../../support/collect-garbage.js';
import { hostileMessages, LARGE_KINDS, type HostileMessage } from '../../../support/hostile-messages.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const socket of open.splice(0).reverse()) await socket.close();
});

async function serve(): Promise<string> {
  const socket = new RequestSocket(
    (request) => (request.type === 'ping' ? { type: 'pong' } : { type: 'job_error', job_id: '', error: 'x' }),
    () => undefined,
  );
  open.push(socket);
  return socket.start('tcp://127.0.0.1:*');
}

function client(address: string): Request {
  const socket = new Request({ linger: 0, receiveTimeout: 20_000 });
  open.push(socket);
  socket.connect(address);
  return socket;
}

async function ask(socket: Request, message: HostileMessage): Promise<unknown> {
  await socket.send(message as Uint8Array | Uint8Array[]);
  const [reply] = await socket.receive();
  return decode(reply!);
}

const ping = encode({ type: 'ping' });
const descriptors = () => readdirSync('/proc/self/fd').length;

test(
  'each hostile message is answered with an error, and nothing of it is kept',
  { timeout: 60_000 },
  async () => {
    const socket = client(await serve());
    const kept: number[] = [];
    for (let round = 0; round < 5; round++) {
      for (const message of hostileMessages(2500)) {
        expect(await ask(socket, message)).toMatchObject({ type: 'error' });
      }
      expect(await ask(socket, ping)).toEqual({ type: 'pong' });
      collectGarbage();
      const { heapUsed, external } = process.memoryUsage();
      kept.push(heapUsed + external);
    }
    // The first rounds compile; a message kept for each that came would be a megabyte a round.
    expect(kept[3]! - kept[2]!).toBeLessThan(250_000);
  },
);

test('messages as large as they get are answered, too', { timeout: 60_000 }, async () => {
  const socket = client(await serve());
  for (const kind of LARGE_KINDS) {
    expect(await ask(socket, kind())).toMatchObject({ type: 'error' });
    expect(await ask(socket, ping)).toEqual({ type: 'pong' });
  }
});

test('a way back of more than sixteen frames is none', async () => {
  const socket = new Dealer({ linger: 0, receiveTimeout: 5000 });
  open.push(socket);
  socket.connect(await serve());
  const hops = (count: number) => Array.from({ length: count }, (_, index) => Buffer.from(`hop ${index}`));
  await socket.send([...hops(14), Buffer.alloc(0), ping]);
  expect(await socket.receive()).toHaveLength(16);
  await socket.send([...hops(1000), Buffer.alloc(0), ping]);
  const reply = await socket.receive();
  expect(reply.map((frame) => decode(frame))).toMatchObject([{ type: 'error' }]);
});

test('clients that vanish leave no socket behind', { timeout: 60_000 }, async () => {
  const address = await serve();
  const { port, hostname } = new URL(address);
  const steady = client(address);
  await ask(steady, ping);
  const before = descriptors();
  for (let count = 0; count < 60; count++) {
    const vanishing = new Request({ linger: 0 });
    vanishing.connect(address);
    await vanishing.send(ping);
    if (count % 2 === 0) await vanishing.receive();
    vanishing.close();
    const raw = connect(Number(port), hostname);
    await once(raw, 'connect');
    // A greeting of ZMTP 3.1 that goes on as noise, and plain noise.
    raw.write(
      count % 2 === 0 ? Buffer.from('ff00000000000000017f0301', 'hex') : Buffer.from('GET /\r\n\r\n'),
    );
    raw.write(Buffer.alloc(300, count));
    raw.on('error', () => undefined);
    raw.destroy();
  }
  expect(await ask(steady, ping)).toEqual({ type: 'pong' });
  for (let waited = 0; descriptors() > before && waited < 20_000; waited += 100) await delay(100);
  expect(descriptors()).toBeLessThanOrEqual(before);
});
