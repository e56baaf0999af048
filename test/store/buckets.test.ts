/** Outputs and inputs in buckets: a daemon and its clients against a server of S3's protocol. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { installed } from '../../src/store/s3/client.js';
import { buildCli } from '../cli/latentd.js';
import { BucketServer, CREDENTIALS } from '../support/bucket-server.js';
import { DaemonHome, type DaemonProcess } from '../support/daemon-process.js';

interface Stored {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: string;
  readonly artifact: { readonly bucket: string; readonly key: string; readonly size_bytes: number };
  readonly url: string;
}

const server = new BucketServer(['results', 'pictures', 'private']);
let home: DaemonHome;
let daemon: DaemonProcess;
let s3: S3Client;
const ends: { readonly id: string; readonly outputs: readonly Stored[]; readonly error?: string }[] = [];
const hook = createServer((request: IncomingMessage, response) => {
  void text(request).then((body) => {
    const { type, data } = JSON.parse(body) as { type: string; data: (typeof ends)[number] };
    if (/completed|failed/.test(type)) ends.push(data);
    response.end();
  });
});

beforeAll(async () => {
  buildCli();
  for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);
  // Of the client in this process; latentd's own keeps still.
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
  await server.start();
  s3 = new S3Client({ endpoint: server.endpoint, forcePathStyle: true });
  hook.listen(0, '127.0.0.1');
  await once(hook, 'listening');
  home = new DaemonHome();
  mkdirSync(home.path('input'));
  home.configure({
    http: '0',
    store: 's3://results/fleet',
    inputBucket: ['pictures'],
    s3Endpoint: server.endpoint,
    s3PathStyle: true,
    webhook: [`http://127.0.0.1:${(hook.address() as AddressInfo).port}/`],
    defaultModel: 'sd15-tiny.safetensors',
  });
  daemon = await home.start();
});
afterAll(async () => {
  await daemon.stop();
  hook.close();
  s3.destroy();
  await server.remove();
  home.remove();
  vi.unstubAllEnvs();
});

/** The end of a workflow, as webhooks are told of it. */
async function run(workflow: object): Promise<(typeof ends)[number]> {
  const reply = await fetch(`${daemon.httpAddress}/prompt`, {
    method: 'POST',
    body: JSON.stringify({ prompt: workflow }),
  });
  const { prompt_id: id, error } = (await reply.json()) as {
    prompt_id?: string;
    error?: { message: string };
  };
  if (id === undefined) throw new Error(JSON.stringify(error));
  return vi.waitUntil(() => ends.find((end) => end.id === id), { timeout: 40_000, interval: 20 });
}

const gradient = (seed: number) =>
  sharp({ create: { width: 24, height: 16, channels: 3, background: { r: seed, g: 40, b: 90 } } })
    .png()
    .toBuffer();
const put = (Bucket: string, Key: string, Body: Buffer) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const copying = (image: string, prefix = 'copy') => ({
  1: { class_type: 'LoadImage', inputs: { image } },
  2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: prefix } },
});
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a workflow', () => {
  test('reads from a bucket, and what it saves is stored under its content, once', async () => {
    await put('pictures', 'in/a knight.png', await gradient(7));
    const { outputs } = await run(copying('s3://pictures/in/a knight.png'));
    const [{ artifact, filename, url }] = outputs as [Stored];
    const local = readFileSync(home.path(join('output', filename)));
    const digest = sha256(local);
    expect(artifact).toMatchObject({
      bucket: 'results',
      key: `fleet/${digest.slice(0, 2)}/${digest}.png`,
      size_bytes: local.length,
      content_type: 'image/png',
    });
    const fetched = await fetch(url);
    expect(fetched.headers.get('content-type')).toBe('image/png');
    expect(sha256(new Uint8Array(await fetched.arrayBuffer()))).toBe(digest);
    expect((await sharp(local).raw().toBuffer()).subarray(0, 3)).toEqual(Buffer.from([7, 40, 90]));
    // The same again: another file in the output folder, the same object.
    const again = await run(copying('s3://pictures/in/a knight.png'));
    expect(again.outputs[0]!.artifact.key).toBe(artifact.key);
    expect(server.written.filter((line) => line.endsWith(artifact.key))).toHaveLength(1);
    // The object changes, and so does what is drawn of it.
    await put('pictures', 'in/a knight.png', await gradient(9));
    const changed = await run(copying('s3://pictures/in/a knight.png'));
    expect(changed.outputs[0]!.artifact.key).not.toBe(artifact.key);
  });

  test('is told what it may not read, and what is not there', async () => {
    await expect(run(copying('s3://private/a.png'))).rejects.toThrow();
    expect((await run(copying('s3://pictures/none.png'))).error).toMatch(
      /there is no s3:\/\/pictures\/none\.png/,
    );
  });

  test('waits while the store is down', async () => {
    await server.stop();
    writeFileSync(home.path('input/own.png'), await gradient(11));
    const ending = run(copying('own.png', 'late'));
    await daemon.logged('warning from the workflow');
    await server.start();
    const [{ artifact }] = (await ending).outputs as [Stored];
    const object = await s3.send(new GetObjectCommand({ Bucket: artifact.bucket, Key: artifact.key }));
    expect(object.ContentLength).toBe(artifact.size_bytes);
  });
});

test('what is gone from the output folder is shown from the bucket', async () => {
  const [{ filename }] = (await run(copying('s3://pictures/in/a knight.png', 'gone'))).outputs as [Stored];
  const address = `${daemon.httpAddress}/view?filename=${filename}&subfolder=&type=output`;
  const bytes = Buffer.from(await (await fetch(address)).arrayBuffer());
  rmSync(home.path(join('output', filename)));
  const redirected = await fetch(address, { redirect: 'manual' });
  expect([redirected.status, redirected.headers.get('location')]).toEqual([
    302,
    expect.stringContaining('X-Amz-Signature'),
  ]);
  expect(Buffer.from(await (await fetch(address)).arrayBuffer()).equals(bytes)).toBe(true);
  expect((await fetch(`${daemon.httpAddress}/view?filename=none.png&type=output`)).status).toBe(404);
});

test("OpenAI's addresses are signed ones", async () => {
  const reply = await fetch(`${daemon.httpAddress}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a knight', size: '64x64', steps: 1, response_format: 'url' }),
  });
  const { data } = (await reply.json()) as { data: { url: string }[] };
  expect(data[0]!.url.startsWith(`${server.endpoint}/results/fleet/`)).toBe(true);
  expect((await sharp(await (await fetch(data[0]!.url)).arrayBuffer()).metadata()).width).toBe(64);
});

test('a job whose daemon is killed stores each output once', async () => {
  writeFileSync(home.path('input/killed.png'), await gradient(13));
  await server.stop();
  const workflow = copying('killed.png', 'killed');
  const seen = daemon.log.length;
  const reply = await fetch(`${daemon.httpAddress}/prompt`, {
    method: 'POST',
    body: JSON.stringify({ prompt: workflow }),
  });
  const { prompt_id: id } = (await reply.json()) as { prompt_id: string };
  // It has drawn, and can't store.
  await daemon.logged('warning from the workflow', seen);
  daemon.kill('SIGKILL');
  await daemon.ended();
  await server.start();
  daemon = await home.start();
  const end = await vi.waitUntil(() => ends.find((each) => each.id === id), {
    timeout: 40_000,
    interval: 20,
  });
  const { key } = end.outputs[0]!.artifact;
  expect(server.written.filter((line) => line.endsWith(key))).toHaveLength(1);
});

describe('a store', () => {
  const signal = new AbortController().signal;
  const notice = () => undefined;

  test('takes large files in parts', async () => {
    const path = home.path('large.mp4');
    writeFileSync(path, Buffer.alloc(17 * 2 ** 20, 'film'));
    const store = openStore({ store: 's3://results', s3: { endpoint: server.endpoint, pathStyle: true } })!;
    const artifact = await store.put(path, signal, notice);
    expect(artifact).toMatchObject({ size_bytes: 17 * 2 ** 20, content_type: 'video/mp4' });
    const object = await s3.send(new GetObjectCommand({ Bucket: 'results', Key: artifact.key }));
    // What s3rver calls an upload in parts.
    expect(server.written.at(-1)).toBe(`ObjectCreated:Post ${artifact.key}`);
    expect(sha256(await object.Body!.transformToByteArray())).toBe(sha256(readFileSync(path)));
  });

  test('may be a folder', async () => {
    const folder = home.path('kept');
    mkdirSync(folder);
    const path = home.path('a.txt');
    writeFileSync(path, 'text');
    const store = openStore({ store: folder, s3: {} })!;
    const { bucket, key } = await store.put(path, signal, notice);
    expect(bucket).toBe('kept');
    expect(key).toBe(`${sha256(Buffer.from('text')).slice(0, 2)}/${sha256(Buffer.from('text'))}.txt`);
    expect(readFileSync(join(folder, key), 'utf8')).toBe('text');
    expect(await store.put(path, signal, notice)).toMatchObject({ key, size_bytes: 4 });
  });

  test('says at once what waiting does not mend', async () => {
    const path = home.path('a.txt');
    const store = openStore({ store: 's3://nowhere', s3: { endpoint: server.endpoint, pathStyle: true } })!;
    await expect(store.put(path, signal, notice)).rejects.toThrow(
      /an output can't be stored as s3:\/\/nowhere.*NoSuchBucket/,
    );
    const missing = () => Promise.reject(Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' }));
    await expect(installed(missing)).rejects.toThrow('npm install @aws-sdk/client-s3');
  });
});
