import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decode, encode } from '@msgpack/msgpack';
import { afterEach, expect, test } from 'vitest';
import { Dealer, Request } from 'zeromq';
import type { Reply, Request as ClientRequest } from '../../../../src/fronts/dgx-pixels/wire/protocol.js';
import { request } from '../../../../src/fronts/dgx-pixels/wire/client.js';
import { RequestSocket, type RequestHandler } from '../../../../src/fronts/dgx-pixels/wire/request-socket.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const socket of open.splice(0).reverse()) await socket.close();
});

async function serve(handler: RequestHandler, faults: Error[] = []): Promise<string> {
  const socket = new RequestSocket(handler, (error) => faults.push(error));
  open.push(socket);
  return socket.start('tcp://127.0.0.1:*');
}

function client(address: string): Request {
  const socket = new Request({ linger: 0, receiveTimeout: 5000 });
  open.push(socket);
  socket.connect(address);
  return socket;
}

async function ask(socket: Request, message: Uint8Array | Uint8Array[]): Promise<unknown> {
  await socket.send(message);
  const frames = await socket.receive();
  expect(frames).toHaveLength(1);
  return decode(frames[0]!);
}

const pong = (request: ClientRequest): Reply =>
  request.type === 'ping' ? { type: 'pong' } : { type: 'error', message: request.type };

test('every message has its one reply, and the next request works', async () => {
  const socket = client(await serve(pong));
  const hostile = [
    new Uint8Array(),
    Uint8Array.of(0xc1),
    encode([]),
    encode({ type: 'dance' }),
    [encode({ type: 'ping' }), encode({ type: 'ping' })],
    [new Uint8Array(), encode({ type: 'ping' }), new Uint8Array()],
    encode({ type: 'ping', filler: 'x'.repeat(1_100_000) }),
    encode({ type: 'ping', filler: 'x'.repeat(15_000_000) }),
  ];
  for (const message of hostile) {
    expect(await ask(socket, message)).toMatchObject({ type: 'error' });
    expect(await ask(socket, encode({ type: 'ping' }))).toEqual({ type: 'pong' });
  }
});

test('what a handler throws, at once or later, is an error to the client and a fault to the daemon', async () => {
  const faults: Error[] = [];
  const address = await serve((request) => {
    if (request.type === 'status') throw new Error('at once');
    return Promise.reject(new Error('later'));
  }, faults);
  const socket = client(address);
  for (const type of ['status', 'ping']) {
    expect(await ask(socket, encode({ type }))).toMatchObject({
      type: 'error',
      message: expect.stringContaining('internal') as unknown,
    });
  }
  expect(faults.map(({ message }) => message)).toEqual(['at once', 'later']);
});

test('slow answers hold nobody up', async () => {
  let finish: () => void = () => undefined;
  const slow = new Promise<Reply>((resolve) => {
    finish = () => {
      resolve({ type: 'error', message: 'slow' });
    };
  });
  const address = await serve((request) => (request.type === 'status' ? slow : { type: 'pong' }));
  const waiting = ask(client(address), encode({ type: 'status' }));
  const other = client(address);
  for (let count = 0; count < 10; count++)
    expect(await ask(other, encode({ type: 'ping' }))).toEqual({ type: 'pong' });
  finish();
  expect(await waiting).toEqual({ type: 'error', message: 'slow' });
});

test('32 clients at once each get their own answers', async () => {
  const address = await serve((request) => {
    if (request.type !== 'cancel') return { type: 'pong' };
    const reply: Reply = { type: 'job_cancelled', job_id: request.job_id };
    return request.job_id.endsWith('0') ? delay(1, reply) : reply;
  });
  await Promise.all(
    Array.from({ length: 32 }, async (_, index) => {
      const socket = client(address);
      for (let count = 0; count < 30; count++) {
        const id = `${index}-${count}`;
        expect(await ask(socket, encode({ type: 'cancel', job_id: id }))).toEqual({
          type: 'job_cancelled',
          job_id: id,
        });
      }
    }),
  );
});

test('a DEALER may leave out the empty frame, and gets none back', async () => {
  const socket = new Dealer({ linger: 0, receiveTimeout: 5000 });
  open.push(socket);
  socket.connect(await serve(pong));
  await socket.send(encode({ type: 'ping' }));
  const reply = await socket.receive();
  expect(reply.map((frame) => decode(frame))).toEqual([{ type: 'pong' }]);
  await socket.send([Buffer.from('route'), Buffer.alloc(0), encode({ type: 'ping' })]);
  const routed = await socket.receive();
  expect(routed.map((frame) => frame.toString()).slice(0, 2)).toEqual(['route', '']);
  expect(decode(routed[2]!)).toEqual({ type: 'pong' });
});

test('a flood from one who reads nothing, and connections that say nothing, leave others served', async () => {
  const address = await serve(pong);
  const flood = new Dealer({ linger: 0, receiveHighWaterMark: 1, sendHighWaterMark: 0, sendTimeout: 0 });
  open.push(flood);
  flood.connect(address);
  const { port, hostname } = new URL(address);
  const halfOpen = Array.from({ length: 50 }, () => connect(Number(port), hostname));
  await Promise.all(halfOpen.map((connection) => once(connection, 'connect')));
  halfOpen.slice(0, 10).forEach((connection) => connection.write(Buffer.from('GET / HTTP/1.1\r\n\r\n')));
  const ping = encode({ type: 'ping', filler: 'x'.repeat(1000) });
  for (let count = 0; count < 20_000; count++) await flood.send(ping).catch(() => undefined);
  const socket = client(address);
  for (let count = 0; count < 10; count++)
    expect(await ask(socket, encode({ type: 'ping' }))).toEqual({ type: 'pong' });
  for (const connection of halfOpen) connection.destroy();
});

test('addresses of IPv6 are served, where there is any', async () => {
  const socket = new RequestSocket(pong, () => undefined);
  open.push(socket);
  const hasIpv6 = existsSync('/proc/net/if_inet6') && readFileSync('/proc/net/if_inet6', 'utf8') !== '';
  const starting = socket.start('tcp://[::1]:*');
  if (hasIpv6) expect(await request(await starting, { type: 'ping' })).toEqual({ type: 'pong' });
  else await expect(starting).rejects.toThrow("can't be listened at");
});

test('an address that is taken is said at once', async () => {
  const address = await serve(pong);
  await expect(
    serve(pong).then(() => new RequestSocket(pong, () => undefined).start(address)),
  ).rejects.toThrow(/^tcp:.* can't be listened at: .*in use/i);
});
