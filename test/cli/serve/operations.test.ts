import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCli } from '../latentd.js';
import { DaemonHome, generate, type DaemonProcess } from '../../support/daemon-process.js';

let home: DaemonHome;
let daemons: DaemonProcess[];

const started = async (...args: readonly string[]): Promise<DaemonProcess> => {
  const daemon = await home.start(...args);
  daemons.push(daemon);
  return daemon;
};

beforeAll(buildCli);
beforeEach(() => {
  home = new DaemonHome();
  daemons = [];
});
afterEach(async () => {
  for (const daemon of daemons) await daemon.stop('SIGKILL');
  home.remove();
});

describe('told to stop', () => {
  test('it finishes the job it is at, refuses others, and goes on answering meanwhile', async () => {
    const daemon = await started();
    const client = daemon.client();
    const listener = await daemon.listen();
    const [running, waiting] = [generate({ steps: 300 }), generate()];
    await client.accept(running);
    await client.accept(waiting);
    await listener.until(({ stage }) => stage === 'sampling');
    daemon.kill('SIGTERM');
    await daemon.logged('stopping');
    expect(await client.ask({ type: 'ping' })).toEqual({ type: 'pong' });
    expect(await client.ask(generate())).toMatchObject({
      type: 'job_error',
      error: expect.stringContaining('stopping') as unknown,
    });
    expect((await listener.untilOver(running.id)).at(-1)!.type).toBe('job_complete');
    expect(await daemon.stop()).toBe(0);
    expect(existsSync(home.path('latentd-data/work'))).toBe(false);
    client.close();
    listener.close();

    const next = await started();
    const heir = next.client();
    const witness = await next.listen();
    expect(await heir.ask({ type: 'status', job_id: running.id })).toMatchObject({
      job: { state: 'completed' },
    });
    const { job } = await heir.ask({ type: 'status', job_id: waiting.id });
    if ((job as { state: string }).state !== 'completed') {
      expect((await witness.untilOver(waiting.id)).at(-1)!.type).toBe('job_complete');
    }
    heir.close();
    witness.close();
  });

  test.each([
    ['whose grace is over', ['--grace-period', '0.2s'], 1],
    ['twice', [], 2],
  ])('%s, it puts the job back, uncounted', async (_, args, signals) => {
    const daemon = await started(...args);
    const client = daemon.client();
    const listener = await daemon.listen();
    const request = generate({ steps: 3000 });
    await client.accept(request);
    await listener.until(({ stage }) => stage === 'sampling');
    for (let count = 1; count < signals; count++) {
      daemon.kill('SIGINT');
      await daemon.logged('stopping');
    }
    expect(await daemon.stop('SIGINT')).toBe(0);
    expect(daemon.log.map(({ msg }) => msg)).toContain('job goes back to the queue');
    listener.close();
    client.close();

    const next = (await started()).client();
    expect(await next.ask({ type: 'status', job_id: request.id })).toMatchObject({
      job: {
        state: expect.stringMatching(/queued|running/) as unknown,
        attempts: expect.any(Number) as unknown,
      },
    });
    await next.ask({ type: 'cancel', job_id: request.id });
    next.close();
  });
});

test('a second daemon on the same data is refused, and the first goes on', async () => {
  const first = await started();
  const second = home.launch();
  expect(await second.ended()).toBe(1);
  expect(second.complaints.join('\n')).toMatch(
    /another latentd daemon uses the data folder .*latentd-data; .*--data/,
  );
  const client = first.client();
  expect(await client.ask({ type: 'ping' })).toEqual({ type: 'pong' });
  client.close();
  await first.stop('SIGKILL');
  // No lock is left by one that was killed.
  expect(await (await started()).stop()).toBe(0);
});

test('a data folder that is none, or holds something else, ends it with a word', async () => {
  writeFileSync(home.path('file'), '');
  const inFile = home.launch('--data', 'file');
  expect(await inFile.ended()).toBe(1);
  expect(inFile.complaints.join('\n')).toMatch(
    /the data folder .*\/file can't be made: .*\/file is not a folder/,
  );
  mkdirSync(home.path('other'));
  writeFileSync(
    home.path('other/journal.sqlite'),
    'something else, and long enough to be looked at\n'.repeat(20),
  );
  const inOther = home.launch('--data', 'other');
  expect(await inOther.ended()).toBe(1);
  expect(inOther.complaints.join('\n')).toMatch(/journal\.sqlite can't be opened: file is not a database/);
});

test('an address that is taken ends it with a word', async () => {
  const first = await started();
  const second = home.launch('--data', 'other', '--req-addr', first.requestAddress);
  expect(await second.ended()).toBe(1);
  expect(second.complaints.join('\n')).toMatch(/in use/i);
});

test('a second daemon on the same ipc path is refused, and what a killed one has left is taken', async () => {
  const address = [
    '--req-addr',
    `ipc://${home.path('requests')}`,
    '--pub-addr',
    `ipc://${home.path('updates')}`,
  ];
  const first = await started(...address);
  const second = home.launch('--data', 'other', ...address);
  expect(await second.ended()).toBe(1);
  expect(second.complaints.join('\n')).toMatch(/ipc:.*(requests|updates) can't be listened at: .*in use/);
  const client = first.client();
  expect(await client.ask({ type: 'ping' })).toEqual({ type: 'pong' });
  client.close();
  await first.stop('SIGKILL');
  expect(await (await started(...address)).stop()).toBe(0);
});

test("what clients have asked for is nobody else's to read, whatever the umask", async () => {
  const before = process.umask(0o022);
  const daemon = await started().finally(() => process.umask(before));
  const client = daemon.client();
  await client.accept(generate());
  client.close();
  expect(statSync(home.path('latentd-data')).mode & 0o777).toBe(0o700);
  const files = ['daemon.lock', 'journal.sqlite', 'journal.sqlite-wal', 'journal.sqlite-shm'];
  for (const name of files) {
    expect([name, statSync(home.path(`latentd-data/${name}`)).mode & 0o777]).toEqual([name, 0o600]);
  }
});

test('a data folder where none can be ends it with a word', async () => {
  const daemon = home.launch('--data', '/proc/nope');
  expect(await daemon.ended()).toBe(1);
  expect(daemon.complaints.join('\n')).toMatch(/the data folder \/proc\/nope can't be made/);
});

test('a data folder that is removed under the daemon takes no jobs any more', async () => {
  const daemon = await started();
  const client = daemon.client();
  rmSync(home.path('latentd-data'), { recursive: true });
  expect(await client.ask(generate())).toMatchObject({
    type: 'job_error',
    error: expect.stringMatching(/journal\.sqlite was removed or replaced/) as unknown,
  });
  client.close();
});

test('SIGHUP reads the configuration again', async () => {
  home.configure({ queueCapacity: 1 });
  const daemon = await started();
  const client = daemon.client();
  const running = generate({ steps: 3000 });
  await client.accept(running);
  while ((await client.ask({ type: 'status' }))['active_jobs'] === 0) await delay(20);
  await client.accept(generate());
  expect(await client.ask(generate())).toMatchObject({ error: 'Queue full' });

  home.configure({ queueCapacity: 2, logLevel: 'debug', data: 'elsewhere' });
  daemon.kill('SIGHUP');
  expect(await daemon.logged('configuration read again')).toMatchObject({
    changed: ['data', 'queueCapacity', 'logLevel'],
  });
  expect(await daemon.logged('these settings change with a restart only')).toMatchObject({
    settings: ['data'],
  });
  await client.accept(generate());
  expect(await client.ask(generate())).toMatchObject({ error: 'Queue full' });

  home.configure({ queueCapacity: 'many' });
  daemon.kill('SIGHUP');
  await daemon.logged('configuration could not be read; the old one stays');
  expect(await client.ask({ type: 'status' })).toMatchObject({ queue_capacity: 2 });

  const from = daemon.log.length;
  home.configure({ output: 'pictures' });
  daemon.kill('SIGHUP');
  await daemon.logged('configuration read again', from);
  await client.ask({ type: 'cancel', job_id: running.id });
  const listener = await daemon.listen();
  const last = generate({ steps: 1 });
  await client.accept(last);
  expect((await listener.untilOver(last.id)).at(-1)!['image_path']).toMatch(/\/pictures\/sprite/);
  client.close();
  listener.close();
});

test('addresses beyond loopback are warned of', async () => {
  const daemon = await started('--pub-addr', 'tcp://0.0.0.0:*');
  expect(
    await daemon.logged(
      'this address is open to the network without encryption: whoever reaches it can run jobs; see --curve-keys',
    ),
  ).toMatchObject({
    level: 40,
    address: 'tcp://0.0.0.0:*',
  });
});

test('systemd is told', async () => {
  // Node.js has no datagram sockets of Unix; perl is part of every Debian.
  const socket = home.path('notify');
  const manager = spawn('perl', [
    '-MSocket',
    '-e',
    'socket(S, PF_UNIX, SOCK_DGRAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die; $| = 1; ' +
      'while (defined recv(S, $m, 4096, 0)) { $m =~ s/\\n/ /g; print "$m\\n" }',
    socket,
  ]);
  const told: string[] = [];
  createInterface(manager.stdout).on('line', (line) => told.push(line));
  while (!existsSync(socket)) await delay(10);
  process.env['NOTIFY_SOCKET'] = socket;
  process.env['WATCHDOG_USEC'] = '300000';
  const daemon = await started().finally(() => {
    delete process.env['NOTIFY_SOCKET'];
    delete process.env['WATCHDOG_USEC'];
  });
  await delay(500);
  daemon.kill('SIGHUP');
  await daemon.logged('configuration read again');
  expect(readFileSync(`/proc/${daemon.enginePid}/environ`, 'utf8')).not.toContain('NOTIFY_SOCKET');
  await daemon.stop();
  await delay(100);
  manager.kill();
  expect(told.slice(0, 2)).toEqual(['READY=1', 'STATUS=idle, 0 jobs wait']);
  expect(told.filter((line) => line === 'WATCHDOG=1').length).toBeGreaterThan(2);
  expect(told.find((line) => line.startsWith('RELOADING=1'))).toMatch(/^RELOADING=1 MONOTONIC_USEC=\d+$/);
  expect(told).toContain('STOPPING=1');
});
