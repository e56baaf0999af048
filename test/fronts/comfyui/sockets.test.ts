import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, residentBytes, type DaemonProcess } from '../../support/daemon-process.js';
import { SocketClient } from '../../support/web-socket.js';
import { inverted, picture } from './prompts.js';

const home = new DaemonHome();
let daemon: DaemonProcess;

const start = () => home.start('--http', '0', '--device', 'cpu', '--queue-order', 'arrival');

beforeAll(async () => {
  buildCli();
  daemon = await start();
});
beforeEach(async () => {
  if (daemon.hasEnded) daemon = await start();
});
afterAll(async () => {
  await daemon.stop();
  home.remove();
});

async function ask<Answer>(path: string, body?: unknown): Promise<Answer> {
  const options = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const reply = await fetch(daemon.httpAddress + path, options);
  return (await reply.json()) as Answer;
}

async function submit(prompt: object, more: object = {}): Promise<string> {
  const { prompt_id: id } = await ask<{ prompt_id: string }>('/prompt', { prompt, ...more });
  return id;
}

test('a client that comes back is told what it missed, and what runs', async () => {
  const before = await SocketClient.open(daemon.httpAddress, 'away');
  const id = await submit(picture({ seed: 2, steps: 15 }), { client_id: 'away' });
  await before.until(({ type }) => type === 'progress');
  before.raw.terminate();
  const watcher = await SocketClient.open(daemon.httpAddress, 'watcher');
  const other = await submit(picture({ seed: 3, steps: 1 }), { client_id: 'watcher' });
  await watcher.over(other);

  const after = await SocketClient.open(daemon.httpAddress, 'away');
  await after.over(id);
  const kinds = after.heard.map(({ type }) => type);
  expect(kinds).toEqual(expect.arrayContaining(['executed', 'execution_success', 'progress']));
  // Of steps, the last one says all.
  expect(kinds.filter((kind) => kind === 'progress')).toHaveLength(1);
  after.raw.terminate();
  const again = await SocketClient.open(daemon.httpAddress, 'away');
  expect(again.heard.map(({ type }) => type)).toEqual(['status']);
  for (const { raw } of [watcher, again]) raw.close();
});

test('previews are plain, or have metadata for clients that can read it', async () => {
  const plain = await SocketClient.open(daemon.httpAddress, 'plain');
  const able = await SocketClient.open(daemon.httpAddress, 'able');
  able.raw.send(JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } }));
  const { data: flags } = await able.until(({ type }) => type === 'feature_flags');
  expect(flags).toMatchObject({ supports_preview_metadata: true, max_upload_size: 104857600 });

  await submit(picture({ seed: 4, steps: 4 }), { client_id: 'plain' });
  const id = await submit(picture({ seed: 5, steps: 4 }), { client_id: 'able' });
  const old = await plain.frame();
  expect([old.readUInt32BE(0), old.readUInt32BE(4)]).toEqual([1, 2]);
  expect((await sharp(old.subarray(8)).metadata()).format).toBe('png');
  const frame = await able.frame();
  expect(frame.readUInt32BE(0)).toBe(4);
  const length = frame.readUInt32BE(4);
  expect(JSON.parse(frame.toString('utf8', 8, 8 + length))).toEqual({
    node_id: '3',
    prompt_id: id,
    display_node_id: '3',
    parent_node_id: null,
    real_node_id: '3',
    image_type: 'image/png',
  });
  expect((await sharp(frame.subarray(8 + length)).metadata()).format).toBe('png');
  await able.over(id);
  for (const { raw } of [plain, able]) raw.close();
});

test('SaveImageWebsocket hands its pictures over before the next node, and lists them nowhere', async () => {
  const client = await SocketClient.open(daemon.httpAddress, 'handed');
  const { prompt_id: id } = (await (
    await fetch(`${daemon.httpAddress}/prompt`, {
      method: 'POST',
      body: JSON.stringify({
        client_id: 'handed',
        prompt: {
          1: { class_type: 'EmptyImage', inputs: { width: 40, height: 24, batch_size: 2, color: 0x3366cc } },
          2: { class_type: 'SaveImageWebsocket', inputs: { images: ['1', 0] } },
        },
      }),
    })
  ).json()) as { prompt_id: string };
  await client.over(id);
  expect(client.frames).toHaveLength(2);
  for (const frame of client.frames) {
    expect([frame.readUInt32BE(0), frame.readUInt32BE(4)]).toEqual([1, 2]);
    expect(await sharp(frame.subarray(8)).metadata()).toMatchObject({ format: 'png', width: 40, height: 24 });
  }
  expect(client.heard.map(({ type }) => type)).not.toContain('executed');
  const history = await ask<Record<string, { outputs: unknown }>>(`/history/${id}`);
  expect(history[id]!.outputs).toEqual({});
  client.raw.close();
});

test('histories, and the seeds in them, survive a kill', async () => {
  const client = await SocketClient.open(daemon.httpAddress, 'before');
  const reply = await fetch(`${daemon.httpAddress}/prompt`, {
    method: 'POST',
    // More digits than JavaScript's numbers have.
    body: JSON.stringify({ prompt: picture({ seed: 77, steps: 1 }), client_id: 'before' }).replace(
      '"seed":77',
      '"seed":18446744073709551615',
    ),
  });
  const { prompt_id: id } = (await reply.json()) as { prompt_id: string };
  await client.over(id);
  const history = async () => (await fetch(`${daemon.httpAddress}/history/${id}`)).text();
  const before = await history();
  expect(before).toContain('"seed": 18446744073709551615');
  await daemon.stop('SIGKILL');
  daemon = await start();
  expect(await history()).toBe(before);
  expect(await ask('/history?max_items=1')).toHaveProperty(id);
});

test('a reader that takes nothing costs the others nothing', async () => {
  const slow = await SocketClient.open(daemon.httpAddress, 'slow');
  slow.raw.pause();
  const brisk = await SocketClient.open(daemon.httpAddress, 'brisk');
  // Steps of nobody's prompts are told to all.
  for (let seed = 0; seed < 2; seed++) await submit(picture({ seed: 100 + seed, steps: 12 }));
  const id = await submit(picture({ seed: 200, steps: 1 }), { client_id: 'brisk' });
  await brisk.over(id);
  const steps = brisk.heard.filter(({ type, data }) => type === 'progress' && data['max'] === 12);
  expect(steps).toHaveLength(24);
  slow.raw.terminate();
  brisk.raw.close();
});

/** Sends bytes, and resolves with what came back when the daemon has closed or answered; with `patience`, no more bytes come after it. */
function raw(bytes: string | Buffer, patience?: number): Promise<string> {
  const { port } = new URL(daemon.httpAddress);
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
      socket.end();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(text);
    });
    socket.write(bytes);
    if (typeof bytes !== 'string') socket.end();
    // A daemon waits for a body that was announced; this client goes away.
    if (patience !== undefined) socket.setTimeout(patience, () => socket.destroy());
  });
}

test('malformed requests and frames are answered or closed, and nothing is left of them', async () => {
  const odd = [
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '{"prompt": 5}',
    '{"prompt": {"1": 5}}',
    '\u0000',
    '{"prompt":{"1":{}}}',
  ];
  const paths = ['/prompt', '/queue', '/history', '/free', '/upload/image', '/api/jobs/cancel', '/settings'];
  for (const path of paths) {
    for (const body of odd) {
      const reply = await fetch(daemon.httpAddress + path, { method: 'POST', body });
      await reply.arrayBuffer();
      expect([path, body, reply.status < 500]).toEqual([path, body, true]);
    }
  }
  for (const path of [
    '/view?filename=%00',
    '/view?filename=a&subfolder=%00',
    '/object_info/%ff',
    '/userdata/%2e%2e%2fx',
    '/history/%00',
  ]) {
    expect((await fetch(daemon.httpAddress + path)).status).toBeLessThan(500);
  }
  for (const bytes of [
    'GET\r\n\r\n',
    'NONSENSE\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    Buffer.from([0, 1, 2, 255, 254]),
  ]) {
    expect(await raw(bytes)).toMatch(/^$|^HTTP\/1\.1 4/);
  }
  for (const frame of [
    '',
    '{',
    '[]',
    '5',
    '{"type": "feature_flags", "data": 7}',
    Buffer.alloc(10),
    'x'.repeat(2 ** 21),
  ]) {
    const client = await SocketClient.open(daemon.httpAddress, 'odd');
    client.raw.send(frame);
    if (frame.length > 2 ** 20) await client.closed;
    else client.raw.close();
  }
  expect(await ask('/queue')).toEqual({ queue_running: [], queue_pending: [] });
});

/** The same numbers for the same seed (Marsaglia's xorshift). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
}

/** `MALFORMED=10000` for all of them; memory is told then. */
const COUNT = Number(process.env['MALFORMED'] ?? 400);

test(`${COUNT} requests and frames that are broken at random are answered or closed, and nothing leaks`, async () => {
  const { paths } = await ask<{ paths: Record<string, Record<string, object>> }>('/openapi.json');
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    // These do what they say, whatever is sent with them, or never end.
    /\/(?:interrupt|free|skip|events|unload-checkpoint|reload-checkpoint)$/.test(path)
      ? []
      : Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.length).toBeGreaterThan(80);
  const roll = dice(20_261_201);
  const pick = <Item>(items: readonly Item[]): Item => items[roll(items.length)]!;
  const odd = [
    '',
    '%00',
    '%ff',
    '..%2f..',
    '%2e%2e',
    '"',
    "'",
    '[]',
    '-1',
    '1e999',
    'ü',
    'x'.repeat(3000),
    '%',
  ];
  const values = ['{', '[', '}', '"', '\u0000', 'null', '-', '1e400', '{"prompt":', '[[[[[[', '\\u', ',,'];
  const sound = [
    JSON.stringify({ prompt: picture(), client_id: 'odd' }),
    JSON.stringify({ workflow: picture() }),
    JSON.stringify({ delete: ['a', 'b'] }),
    JSON.stringify({ prompt: 'x', n: 1, size: '64x64' }),
    '--b\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\nabc\r\n--b--\r\n',
  ];
  /** Text with a few of its characters gone, doubled, or others. */
  const broken = (text: string) => {
    let result = text;
    for (let times = 1 + roll(4); times > 0; times--) {
      const at = roll(result.length + 1);
      const until = Math.min(result.length, at + roll(30));
      result =
        result.slice(0, at) +
        pick(['', result.slice(at, until).repeat(2), pick(values)]) +
        result.slice(until);
    }
    return result;
  };
  const types = [
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=b',
    'multipart/form-data',
    'x',
    '',
  ];
  const request = () => {
    const [method = 'GET', path = '/'] = pick(routes).split(' ');
    const url =
      path.replaceAll(/\{[^}]+\}/g, () => pick(odd)) +
      pick(['', '', `?filename=${pick(odd)}&limit=${pick(odd)}`]);
    const body = method === 'GET' || method === 'HEAD' ? '' : broken(pick(sound));
    const length = pick(['', '', '', '9', '-1', 'x']) || String(Buffer.byteLength(body));
    const head = `${method} ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${pick(types)}\r\nContent-Length: ${length}\r\n\r\n`;
    return roll(10) === 0 ? broken(head) : head + body;
  };
  const handles = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
  const before = { handles: handles(), bytes: residentBytes(daemon.pid) };
  const answers = new Map<string, number>();
  const faults: string[] = [];
  let left = COUNT;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left-- > 0) {
        if (roll(8) === 0) {
          const client = await SocketClient.open(daemon.httpAddress, `odd-${roll(50)}`);
          for (let frames = roll(4); frames > 0; frames--) client.raw.send(broken(sound[0]!));
          // Frames that aren't WebSocket's at all, too.
          if (roll(3) === 0) client.raw._socket.write(Buffer.from(broken(sound[1]!)));
          else client.raw.close();
          await client.closed;
          continue;
        }
        const sent = request();
        const status = /^HTTP\/1\.1 (\d\d\d)/.exec(await raw(sent, 2000))?.[1] ?? 'closed';
        if (status === '500') faults.push(sent.slice(0, 300));
        answers.set(status, (answers.get(status) ?? 0) + 1);
      }
    }),
  );
  expect([faults, daemon.log.filter(({ level }) => level >= 50)]).toEqual([[], []]);
  expect(answers.get('400')).toBeGreaterThan(0);
  await expect.poll(handles, { timeout: 20_000 }).toBeLessThanOrEqual(before.handles + 8);
  if (COUNT >= 10_000) {
    const [was, is] = [before.bytes, residentBytes(daemon.pid)].map((bytes) => Math.round(bytes / 2 ** 20));
    console.info(`answers ${JSON.stringify([...answers])}; resident ${was} MB before, ${is} MB after`);
  }
  const { queue_pending: pending } = await ask<{ queue_pending: [number, string][] }>('/queue');
  await ask<unknown>('/api/jobs/cancel', { job_ids: pending.map(([, id]) => id) });
  expect((await fetch(`${daemon.httpAddress}/health`)).status).toBe(200);
});

test('what a client uploads can be used, and answers by ranges and ETags', async () => {
  const form = new FormData();
  const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'blue' } })
    .png()
    .toBuffer();
  form.append('image', new Blob([png]), 'blue.png');
  form.append('subfolder', 'sky');
  expect(
    await (await fetch(`${daemon.httpAddress}/upload/image`, { method: 'POST', body: form })).json(),
  ).toEqual({
    name: 'blue.png',
    subfolder: 'sky',
    type: 'input',
  });
  const client = await SocketClient.open(daemon.httpAddress, 'uploader');
  const id = await submit(inverted('sky/blue.png'), { client_id: 'uploader' });
  await client.over(id);
  client.raw.close();
  const url = `${daemon.httpAddress}/view?filename=blue.png&subfolder=sky&type=input`;
  const whole = await fetch(url);
  expect(Buffer.from(await whole.arrayBuffer()).equals(png)).toBe(true);
  const etag = whole.headers.get('etag')!;
  // Node's own fetch asks past every cache.
  const known = await raw(
    `GET ${url.slice(daemon.httpAddress.length)} HTTP/1.1\r\nHost: x\r\nIf-None-Match: ${etag}\r\n\r\n`,
  );
  expect(known).toMatch(/^HTTP\/1\.1 304/);
  const part = await fetch(url, { headers: { range: 'bytes=1-3' } });
  expect([part.status, await part.text()]).toEqual([206, 'PNG']);
});
