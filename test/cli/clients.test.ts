import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STARTER } from '../../src/models/folders/starter.js';
import { safeText } from '../../src/safe-text.js';
import { DaemonHome, type DaemonProcess } from '../support/daemon-process.js';
import { buildCli, latentd, ROOT, type Ended } from './latentd.js';

let home: DaemonHome;
let daemon: DaemonProcess;

const ask = (...args: readonly string[]): Promise<Ended> =>
  latentd([...args, '--req-addr', daemon.requestAddress, '--pub-addr', daemon.updateAddress], {
    cwd: home.folder,
  });
const small = ['--prompt', 'a fox', '--size', '64x64', '--steps', '2', '--model', 'sd15-tiny'];

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  daemon = await home.start();
});
afterAll(async () => {
  await daemon.stop();
  home.remove();
});

describe('latentd submit', () => {
  test('prints the id of the job, and watch waits for its end', async () => {
    const { code, stdout, stderr } = await ask('submit', ...small);
    expect([code, stdout, stderr]).toEqual([
      0,
      expect.stringMatching(/^[\da-f-]{36}\n$/),
      expect.stringMatching(/^done in about \S+ \S+/),
    ]);
    const watched = await ask('watch', stdout.trim());
    expect(watched.code).toBe(0);
    const names = await latentd(['completion', 'bash', '--names', 'jobs'], {
      cwd: home.folder,
      env: { LATENTD_REQ_ADDR: daemon.requestAddress },
    });
    expect(names.stdout.split('\n')).toContain(stdout.trim());
    const status = await ask('status', stdout.trim(), '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'completed', attempts: 1 });
  });

  test('a job whose id a terminal would obey is shown and not obeyed', async () => {
    const id = '\x1b]0;pwned\x07\x1b[2J\nANSI job_complete /etc/passwd\u009b31m';
    const shown = String.raw`\x1b]0;pwned\x07\x1b[2J\nANSI job_complete /etc/passwd\x9b31m`;
    const submitted = await ask('submit', ...small, '--id', id);
    expect([submitted.code, submitted.stdout]).toEqual([0, `${shown}\n`]);
    const watched = await ask('watch', id);
    for (const line of watched.stdout.split('\n')) expect(line === '' || line.startsWith(shown)).toBe(true);
    const status = await ask('status', id);
    expect(status.stdout).toContain(shown);
    const json = await ask('status', id, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ job_id: id });
    const unknown = await ask('status', `${id}!`);
    expect(unknown.stderr).toBe(`latentd: the daemon knows no job ${shown}!\n`);
    const wrote = [submitted, watched, status, json, unknown].map(({ stdout, stderr }) => stdout + stderr);
    const everything = [...wrote, ...daemon.raw].join('');
    expect(safeText(everything, Infinity)).toBe(everything);
  });

  test('waits for the image', async () => {
    const { code, stdout } = await ask('submit', ...small, '--wait');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\/.*\/output\/sprite_\d+_\.png\n$/)]);
    const json = await ask('submit', ...small, '--wait', '--json', '--tiles', '2x1', '--id', 'tiles');
    expect(JSON.parse(json.stdout)).toMatchObject({
      job_id: 'tiles',
      success: true,
      image_path: home.path('output/tileset_tiles_sheet.png'),
    });
  });

  test('the starter model draws at the size and guidance that suit it', async () => {
    const file = STARTER.checkpoint;
    copyFileSync(join(ROOT, 'models/checkpoints', file), home.path(`models/checkpoints/${file}`));
    const args = ['--prompt', 'a red heart', '--model', 'starter-sprites', '--steps', '2', '--wait'];
    const { code, stdout } = await ask('submit', ...args);
    expect(code).toBe(0);
    const picture = readFileSync(stdout.trim());
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([128, 128]);
    expect(picture.toString('latin1')).toContain('"cfg": 4.0,');
  });

  test('takes a workflow from a file, seeds with all their digits', async () => {
    writeFileSync(
      home.path('own.json'),
      '{"1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 255}},' +
        '"2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "own"}}}',
    );
    const args = ['submit', '--prompt', 'x', '--workflow', './own.json', '--seed', '18446744073709551615'];
    const { code, stdout } = await ask(...args, '--wait');
    expect([code, stdout]).toEqual([0, `${home.path('output/own_00001_.png')}\n`]);
  });

  test('says why a job was turned away or failed', async () => {
    const refused = await ask('submit', ...small, '--steps', '0');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      'latentd: Invalid parameter: steps: must be 1 to 10000, got 0\n',
    ]);
    writeFileSync(home.path('bad.json'), '{"1": {"class_type": "Nothing", "inputs": {}}}');
    const failed = await ask('submit', '--prompt', 'x', '--workflow', './bad.json', '--wait');
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('Nothing')]);
  });

  test.each([
    [['--size', 'large'], '--size must be like 512x768, not "large"'],
    [['--batch', 'x'], '--batch must be a number, not "x"'],
    [['--workflow', './none.json'], "./none.json can't be read: ENOENT"],
  ])('refuses %s', async (args, message) => {
    const { code, stderr } = await ask('submit', ...small, ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

test('latentd cancel and status speak of jobs', async () => {
  await ask('submit', ...small, '--steps', '9000', '--id', 'long');
  await ask('submit', ...small, '--id', 'waiting');
  const busy = await ask('status');
  expect(busy.stdout).toMatch(/^queue +1 of 1000$/m);
  expect(busy.stdout).toMatch(/^running +long, \d+%/m);
  expect((await ask('cancel', 'waiting')).stdout).toBe('cancelled waiting\n');
  expect((await ask('cancel', 'long')).code).toBe(0);
  expect((await ask('status', 'waiting')).stdout).toMatch(/^state +cancelled$/m);
  for (const [command, message] of [
    ['cancel', 'Job not found or already completed'],
    ['status', 'the daemon knows no job none'],
    ['watch', 'the daemon knows no job none'],
  ] as const) {
    const { code, stderr } = await ask(command, 'none');
    expect([code, stderr]).toEqual([1, `latentd: ${message}\n`]);
  }
});

test('latentd jobs lists what waits and what became of others; ids may be cut; --front is before them; --all cancels all', async () => {
  await ask('submit', ...small, '--steps', '9000', '--id', 'list-running');
  await ask('submit', ...small, '--id', 'list-second');
  await ask('submit', ...small, '--front', '--id', 'list-first');
  const { queue } = JSON.parse((await ask('status', '--json')).stdout) as { queue: { job_id: string }[] };
  expect(queue.map(({ job_id: id }) => id)).toEqual(['list-first', 'list-second']);
  expect((await ask('cancel', 'list-s')).stdout).toBe('cancelled list-second\n');
  const listed = await ask('jobs', 'list-');
  expect(listed.stdout).toMatch(
    /^list-first +queued +\S+ \S+ ago\nlist-second +cancelled .*\nlist-running +running .* for .*\n$/,
  );
  const json = JSON.parse(
    (await ask('jobs', 'list-', '--which', 'unfinished', '--limit', '1', '--json')).stdout,
  ) as {
    jobs: { job_id: string; front: string }[];
    has_more: boolean;
  };
  expect(json).toMatchObject({ jobs: [{ job_id: 'list-first', front: 'dgx-pixels' }], has_more: true });
  const none = await ask('cancel', '--all', 'list-first');
  expect([none.code, none.stderr]).toEqual([2, 'latentd: --all is for all jobs: name none\n']);
  const all = await ask('cancel', '--all', '--json');
  expect(JSON.parse(all.stdout)).toEqual({ cancelled: ['list-first', 'list-running'], failed: [] });
  const quiet = await ask('jobs', '--which', 'unfinished', '--quiet');
  expect([quiet.code, quiet.stdout, quiet.stderr]).toEqual([0, '', '']);
  expect((await ask('status', 'list-f')).stdout).toMatch(/^state +cancelled$/m);
});

test('latentd watch prints what happens, until it is told to stop', async () => {
  const watching = latentd(
    ['watch', '--json', '--req-addr', daemon.requestAddress, '--pub-addr', daemon.updateAddress],
    {
      cwd: home.folder,
      onOutput: (text, kill) => {
        if (text.includes('job_complete')) kill('SIGINT');
      },
    },
  );
  const submitting = setInterval(() => void ask('submit', ...small), 2000);
  const { code, stdout } = await watching;
  clearInterval(submitting);
  expect(code).toBe(130);
  const types = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types).toContain('progress');
  expect(types.at(-1)).toBe('job_complete');
});

test('without a daemon, that is said', async () => {
  const { code, stderr } = await latentd(['status', '--req-addr', 'ipc:///tmp/latentd-nobody'], {
    cwd: home.folder,
  });
  expect([code, stderr]).toEqual([
    1,
    'latentd: no answer from ipc:///tmp/latentd-nobody within 5 s; is `latentd serve` running there?\n',
  ]);
});

test('keys let clients in, and nobody else', async () => {
  const { stdout } = await latentd(['keys', 'keys'], { cwd: home.folder });
  expect(stdout).toBe(`${home.path('keys/server.json')}\n${home.path('keys/client.json')}\n`);
  expect((await latentd(['keys', 'keys'], { cwd: home.folder })).code).toBe(2);
  const secured = await home.start('--data', 'secured', '--curve-keys', 'keys/server.json');
  const status = (...args: readonly string[]) =>
    latentd(['status', '--req-addr', secured.requestAddress, ...args], { cwd: home.folder });
  expect((await status('--curve-keys', 'keys/client.json')).code).toBe(0);
  expect((await status('--curve-keys', 'keys/server.json')).code).toBe(0);
  expect((await status()).code).toBe(1);
  await secured.stop();
});
