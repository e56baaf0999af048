/** Comfy API v2, with Comfy's own SDK from npm as it is, and by hand where that hides what is answered. */
import { existsSync } from 'node:fs';
import { Comfy } from '@comfyorg/sdk';
import { ComfyLow, schemas } from '@comfyorg/sdk/low';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';
import { inverted, picture } from './prompts.js';

/** Shapes of answers, generated from the specification. */
const { zAsset, zErrorEnvelope, zJob } = schemas;

const home = new DaemonHome();
let daemon: DaemonProcess;
let client: Comfy;
let low: ComfyLow;

async function start(...more: readonly string[]) {
  daemon = await home.start('--http', '0', '--device', 'cpu', ...more);
  process.env['COMFY_BASE_URL'] = daemon.httpAddress;
  client = new Comfy();
  low = new ComfyLow(daemon.httpAddress);
}

beforeAll(async () => {
  buildCli();
  await start();
});
afterAll(async () => {
  delete process.env['COMFY_BASE_URL'];
  await daemon.stop();
  home.remove();
});

const png = (background: string) =>
  sharp({ create: { width: 16, height: 16, channels: 3, background } })
    .png()
    .toBuffer();

const ask = (path: string, init: RequestInit = {}) => fetch(`${daemon.httpAddress}/api/v2/${path}`, init);
const post = (body: unknown, key?: string) =>
  ask('jobs', {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });

/** Its body has the shape of the specification's envelope. */
async function faultOf(reply: Response) {
  const { error } = zErrorEnvelope.parse(await reply.json());
  return [reply.status, error.code] as const;
}

test('@comfyorg/sdk: upload, run, events, outputs, workflow', async () => {
  const red = await png('red');
  const asset = client.assets.fromBytes(red, { filename: 'red.png' });
  const workflow = client.workflows.fromJson(inverted('', 'api'));
  workflow.setInput('1', 'image', asset);
  const job = await client.run(workflow);
  expect(asset.createdNew).toBe(true);
  expect(job.outputs.map(({ nodeId, name, type }) => [nodeId, name, type])).toEqual([
    ['3', 'api_00001_.png', 'image'],
  ]);
  const [output] = job.getOutputs('3');
  const bytes = await output!.toBytes();
  const { channels } = await sharp(bytes).stats();
  expect(channels.slice(0, 3).map(({ mean }) => mean)).toEqual([0, 255, 255]);
  expect(Buffer.from(await output!.toBytes({ range: [1, 3] })).toString()).toBe('PNG');
  expect((await output!.getDownloadUrl()).url).toContain(`/api/v2/assets/${output!.id}/content`);
  expect(output!.sizeBytes).toBe(bytes.length);
  expect((await client.assets.get(output!.id)).jobId).toBe(job.id);
  // What a job saved is given to the next one.
  const again = client.workflows.fromJson(inverted('', 'back'));
  again.setInput('1', 'image', await client.assets.get(output!.id));
  const [restored] = (await client.run(again)).outputs;
  expect((await sharp(await restored!.toBytes()).stats()).channels[0]!.mean).toBe(255);
  await expect(client.assets.delete(output!.id)).rejects.toMatchObject({ code: 'asset_in_use' });

  // The same bytes are not sent twice; with the last asset of them they go.
  const twin = client.assets.fromBytes(red, { filename: 'twin.png' });
  await twin.commit();
  expect([twin.createdNew, twin.id === asset.id]).toEqual([false, false]);
  const hash = await twin.hash();
  await asset.delete();
  expect(await low.headAssetByHash(hash)).toBe(true);
  await twin.delete();
  expect(await low.headAssetByHash(hash)).toBe(false);
  await expect(client.assets.get('nothing')).rejects.toThrow('no such asset');

  const submitted = await client.submit(
    client.workflows.fromJson(picture({ seed: 5, steps: 40, prefix: 'told' })),
  );
  const kinds: string[] = [];
  let last = 0;
  for await (const event of submitted.events()) {
    kinds.push(event.kind === 'statusChange' ? event.status : event.kind);
    if (event.kind === 'progress') last = event.value;
    if (event.kind === 'preview') expect((await sharp(event.data).metadata()).format).toBe('jpeg');
  }
  expect(kinds.at(-1)).toBe('succeeded');
  expect(kinds).toEqual(expect.arrayContaining(['progress', 'outputReady']));
  expect(last).toBeGreaterThan(0);
  expect(await submitted.getWorkflow()).toMatchObject({
    format: 'api',
    workflow: { 3: { inputs: { seed: 5 } } },
  });
});

test('a job that runs is cancelled, and so is one that waits', async () => {
  const long = await client.submit(client.workflows.fromJson(picture({ seed: 6, steps: 5000 })));
  const waiting = await client.submit(client.workflows.fromJson(picture({ seed: 7, steps: 1 })));
  for await (const event of long.events()) if (event.kind === 'progress' && event.step !== null) break;
  const raw = zJob.parse(await (await ask(`jobs/${long.id}`)).json());
  expect(raw).toMatchObject({ status: 'running', progress: { current_node_class: 'KSampler', steps: 5000 } });
  expect(zJob.parse(await (await ask(`jobs/${waiting.id}`)).json())).toMatchObject({
    status: 'queued',
    queue_position: 0,
    started_at: null,
  });
  expect((await waiting.cancel()).status).toBe('canceled');
  expect(['canceling', 'canceled']).toContain((await long.cancel()).status);
  await expect(long.result()).rejects.toThrow('canceled');
  // Idempotent.
  expect((await long.cancel()).status).toBe('canceled');
  const events = await (await ask(`jobs/${long.id}/events`)).text();
  expect(events).toBe('event: status\ndata: {"status":"canceled"}\n\n');
});

test('refusals are those of the specification', async () => {
  const sound = picture();
  expect(await faultOf(await post('{'))).toEqual([422, 'invalid_request']);
  expect(await faultOf(await post({ workflow: [] }))).toEqual([422, 'invalid_request']);
  expect(await faultOf(await post({ workflow: sound, webhook_url: 'http://x' }))).toEqual([
    422,
    'invalid_request',
  ]);
  expect(await faultOf(await post({ workflow: sound, extra_data: { more: 1 } }))).toEqual([
    422,
    'invalid_request',
  ]);
  expect(await faultOf(await post({ workflow: { nodes: [], links: [] } }))).toEqual([
    422,
    'workflow_format_ui',
  ]);
  expect(await faultOf(await post({ workflow: { 1: { class_type: 'NoSuchNode', inputs: {} } } }))).toEqual([
    422,
    'invalid_workflow',
  ]);
  const unknown = inverted('');
  unknown['1']!.inputs['image'] = { __type: 'core/ASSET', info: { id: 'unknown' } };
  expect(await faultOf(await post({ workflow: unknown }))).toEqual([422, 'missing_asset']);
  const wrong = { ...sound, 3: { ...sound['3']!, inputs: { ...sound['3']!.inputs, steps: 0 } } };
  const { error } = zErrorEnvelope.parse(await (await post({ workflow: wrong })).json());
  expect(error.details).toMatchObject({ node_errors: { 3: { class_type: 'KSampler' } } });
  for (const path of [
    'jobs/none',
    'jobs/none/events',
    'jobs/none/workflow',
    'assets/none',
    'assets/none/content',
  ]) {
    expect(await faultOf(await ask(path))).toEqual([404, 'not_found']);
  }
  const form = (fields: Record<string, string>) => {
    const data = new FormData();
    for (const [key, value] of Object.entries(fields)) data.append(key, value);
    data.append('file', new Blob(['hello']), 'hello.txt');
    return ask('assets', { method: 'POST', body: data });
  };
  const fields = { content_type: 'text/plain', file_path: 'hello.txt' };
  const other = `blake3:${'0'.repeat(64)}`;
  expect(await faultOf(await form({ content_type: 'text/plain' }))).toEqual([422, 'invalid_request']);
  expect(await faultOf(await form({ ...fields, expected_hash: other }))).toEqual([409, 'hash_mismatch']);
  for (const file_path of ['../out.txt', '/etc/x', 'a//b', 'models/checkpoints/x.safetensors']) {
    expect(await faultOf(await form({ ...fields, file_path }))).toEqual([422, 'invalid_request']);
  }
  const stored = await form(fields);
  // BLAKE3 of "hello", of its authors' own tool.
  const hash = 'blake3:ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f';
  expect(stored.status).toBe(201);
  expect(zAsset.parse(await stored.json())).toMatchObject({ hash, size_bytes: 5n, created_new: true });
  const mint = (body: object) => ask('assets/from-hash', { method: 'POST', body: JSON.stringify(body) });
  expect((await mint({ hash, file_path: 'hello.txt' })).status).toBe(200);
  expect((await mint({ hash, file_path: 'other.txt' })).status).toBe(201);
  expect(await faultOf(await mint({ hash: other }))).toEqual([404, 'blob_not_found']);
});

test('a key is used once, also after a restart; with --idempotency replay the first answer is given again', async () => {
  const body = JSON.stringify({ workflow: picture({ seed: 1, steps: 1, prefix: 'once' }) }).replace(
    '"seed":1,',
    '"seed":18446744073709551615,',
  );
  // A request that makes nothing leaves its key free.
  expect(await faultOf(await post({ workflow: {} }, 'key'))).toEqual([422, 'invalid_workflow']);
  const [one, other] = await Promise.all([post(body, 'key'), post(body, 'key')]);
  expect([one.status, other.status].toSorted((a, b) => a - b)).toEqual([201, 422]);
  expect(await faultOf(await post(body, 'key'))).toEqual([422, 'idempotency_key_reuse']);
  const first = await (one.status === 201 ? one : other).text();
  const { id } = JSON.parse(first) as { id: string };
  await daemon.stop('SIGKILL');
  await start('--idempotency', 'replay');
  const replayed = await post(body, 'key');
  expect([replayed.status, replayed.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  expect(await replayed.text()).toBe(first);
  expect(await faultOf(await post({ workflow: picture({ seed: 2 }) }, 'key'))).toEqual([
    422,
    'idempotency_key_reuse',
  ]);
  const twins = await Promise.all([post(body, 'new'), post(body, 'new'), post(body, 'new')]);
  const texts = await Promise.all(twins.map((twin) => twin.text()));
  expect(new Set(texts).size).toBe(1);
  const job = await (await client.jobs.get(id)).result();
  expect(JSON.stringify(await (await ask(`jobs/${id}/workflow`)).text())).toContain('18446744073709551615');
  expect(existsSync(home.path(`output/${job.outputs[0]!.name}`))).toBe(true);
});
