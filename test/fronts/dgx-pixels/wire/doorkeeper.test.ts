import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Request } from 'zeromq';
import { afterEach, expect, test } from 'vitest';
import { encodeRequest } from '../../../../src/fronts/dgx-pixels/wire/codec.js';
import { connectionsWithin } from '../../../../src/fronts/dgx-pixels/wire/connections-that-fit.js';
import { Doorkeeper } from '../../../../src/fronts/dgx-pixels/wire/doorkeeper.js';
import { RequestSocket } from '../../../../src/fronts/dgx-pixels/wire/request-socket.js';
import { UpdateSocket } from '../../../../src/fronts/dgx-pixels/wire/update-socket.js';
import { connectStranger } from '../../../support/strangers.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** ZeroMQ has one address for all doorkeepers of a process, and forgets a closed socket's a moment later. */
async function startWhenFree(doorkeeper: Doorkeeper): Promise<void> {
  for (;;) {
    try {
      await doorkeeper.start();
      return;
    } catch (error) {
      if (!String(error).includes('Address already in use')) throw error;
      await nextTurn();
    }
  }
}

/** Both sockets behind one doorkeeper. */
async function serve(maxConnections: number) {
  const turnedAway: string[] = [];
  const doorkeeper = new Doorkeeper({
    maxConnections,
    onStranger: () => expect.unreachable(),
    onFull: (address) => turnedAway.push(address),
  });
  await startWhenFree(doorkeeper);
  closers.push(() => {
    doorkeeper.close();
  });
  const onFault = () => expect.unreachable();
  const requests = new RequestSocket(() => ({ type: 'pong' }), onFault, doorkeeper);
  const updates = new UpdateSocket(onFault, doorkeeper);
  closers.push(
    () => requests.close(),
    () => updates.close(),
  );
  return {
    turnedAway,
    requestAddress: await requests.start('tcp://127.0.0.1:*'),
    updateAddress: await updates.start('tcp://127.0.0.1:*'),
  };
}

function connectClient(address: string) {
  const socket = new Request({ linger: 0 });
  socket.connect(address);
  const close = () => {
    socket.close();
  };
  closers.push(close);
  return {
    close,
    ping: async () => {
      await socket.send(encodeRequest({ type: 'ping' }));
      return socket.receive();
    },
  };
}

test('whoever comes when all connections are taken is cut off at either port; who is connected stays', async () => {
  const { requestAddress, updateAddress, turnedAway } = await serve(2);
  const silent = connectClient(requestAddress);
  const busy = connectClient(requestAddress);
  await silent.ping();
  await busy.ping();
  await once(connectStranger(requestAddress), 'close');
  await once(connectStranger(updateAddress, 'SUB'), 'close');
  expect(turnedAway).toEqual(['127.0.0.1', '127.0.0.1']);
  await busy.ping();
  await silent.ping();
});

test('there is room again when somebody has gone', async () => {
  const { requestAddress } = await serve(1);
  const first = connectClient(requestAddress);
  await first.ping();
  await once(connectStranger(requestAddress), 'close');
  const next = connectClient(requestAddress);
  const answer = next.ping();
  first.close();
  expect(await answer).toHaveLength(1);
});

test('connections leave the daemon the descriptors that it needs', () => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft}                 65536                files     \n`;
  expect(connectionsWithin(limits('160'))).toBe(48);
  expect(connectionsWithin(limits('1024'))).toBe(912);
  expect(connectionsWithin(limits('64'))).toBe(8);
  expect(connectionsWithin(limits('unlimited'))).toBe(Infinity);
  expect(connectionsWithin('')).toBe(912);
});
