import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NoAnswerError, request } from '../../../../src/fronts/dgx-pixels/wire/client.js';
import { RequestSocket } from '../../../../src/fronts/dgx-pixels/wire/request-socket.js';
import { Doorkeeper } from '../../../../src/fronts/dgx-pixels/wire/doorkeeper.js';
import {
  createKeys,
  readClientKeys,
  readServerKeys,
  writeKeys,
} from '../../../../src/fronts/dgx-pixels/wire/curve-keys.js';
import { isLoopback } from '../../../../src/fronts/dgx-pixels/wire/security.js';

test.each([
  ['tcp://127.0.0.1:5555', true],
  ['tcp://127.8.9.1:5555', true],
  ['tcp://localhost:5555', true],
  ['tcp://[::1]:5555', true],
  ['ipc:///run/latentd', true],
  ['tcp://0.0.0.0:5555', false],
  ['tcp://*:5555', false],
  ['tcp://10.0.0.3:5555', false],
  ['tcp://[::]:5555', false],
])('%s is reachable from this machine alone: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

describe('key files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latentd-keys-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('are for their owner alone, and written once', () => {
    const { server, client } = createKeys();
    const serverFile = join(folder, 'server.json');
    const clientFile = join(folder, 'client.json');
    writeKeys(serverFile, server);
    writeKeys(clientFile, client);
    expect(statSync(serverFile).mode & 0o777).toBe(0o600);
    expect(readServerKeys(serverFile)).toEqual(server);
    expect(readClientKeys(clientFile)).toEqual(client);
    expect(readClientKeys(serverFile).serverKey).toBe(server.publicKey);
    expect(() => {
      writeKeys(serverFile, server);
    }).toThrow('EEXIST');
    expect(() => readServerKeys(clientFile)).toThrow(/client\.json holds no server's keys/);
    chmodSync(serverFile, 0o640);
    expect(() => readServerKeys(serverFile)).toThrow(/chmod 600/);
  });

  test('with anything else in them are named', () => {
    const file = join(folder, 'broken.json');
    writeFileSync(file, '{"publicKey": "short"}', { mode: 0o600 });
    expect(() => readServerKeys(file)).toThrow(/broken\.json.*publicKey/s);
    expect(() => readClientKeys(join(folder, 'none.json'))).toThrow(/none\.json can't be used: ENOENT/);
  });
});

test('only clients with a key that the server knows are answered', async () => {
  const { server, client } = createKeys();
  const refused: string[] = [];
  const doorkeeper = new Doorkeeper({
    keys: server,
    maxConnections: 100,
    onStranger: (address) => refused.push(address),
    onFull: () => expect.unreachable(),
  });
  await doorkeeper.start();
  const socket = new RequestSocket(
    () => ({ type: 'pong' }),
    () => undefined,
    doorkeeper,
  );
  const address = await socket.start('tcp://127.0.0.1:*');
  try {
    expect(await request(address, { type: 'ping' }, { curve: client })).toEqual({ type: 'pong' });
    const stranger = { ...createKeys().client, serverKey: server.publicKey };
    for (const curve of [undefined, stranger]) {
      await expect(
        request(address, { type: 'ping' }, { timeoutMs: 300, ...(curve && { curve }) }),
      ).rejects.toThrow(NoAnswerError);
    }
    expect(refused).toContain('127.0.0.1');
    expect(await request(address, { type: 'ping' }, { curve: client })).toEqual({ type: 'pong' });
  } finally {
    await socket.close();
    doorkeeper.close();
  }
});
