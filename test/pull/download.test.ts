import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { download, type DownloadOptions } from '../../src/pull/download.js';
import { parseReference } from '../../src/pull/reference.js';
import { locate, type RemoteFile } from '../../src/pull/sites.js';
import { openModelSites, sha256Of, type ModelSites } from '../support/model-sites.js';

const BYTES = randomBytes(300_000);
const FILE = 'team/models/split_files/vae/ae.safetensors';

let sites: ModelSites;
let folder: string;

beforeAll(async () => {
  sites = await openModelSites();
});
afterAll(() => sites.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-pull-'));
  sites.files.clear();
  sites.files.set(FILE, { bytes: BYTES });
  sites.asked.length = 0;
  sites.breakAfter = Infinity;
  sites.ranges = true;
  sites.onAnswer = () => undefined;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const find = (reference: string, token?: string): Promise<RemoteFile> =>
  locate(parseReference(reference), {
    huggingFace: sites.huggingFace,
    civitai: sites.civitai,
    huggingFaceToken: token,
    civitaiToken: token,
  });
const fetchTo = (remote: RemoteFile, name: string, options: Partial<DownloadOptions> = {}) =>
  download(remote, join(folder, name), { connections: 4, piece: 20_000, ...options });
const stored = () => sites.asked.filter(({ at, range }) => at === 'store' && range !== 'bytes=0-0');

test('fetches a file in parts over several connections, each byte once', async () => {
  const remote = await find(`hf:${FILE}`);
  expect(remote).toMatchObject({
    name: 'ae.safetensors',
    folder: 'vae',
    size: BYTES.length,
    sha256: sha256Of(BYTES),
  });
  let together = 0;
  let most = 0;
  sites.onAnswer = async () => {
    most = Math.max(most, ++together);
    await new Promise((done) => setImmediate(done));
    together--;
  };
  expect(await fetchTo(remote, 'ae.safetensors')).toEqual({
    fetched: true,
    size: BYTES.length,
    sha256: sha256Of(BYTES),
  });
  expect(readFileSync(join(folder, 'ae.safetensors')).equals(BYTES)).toBe(true);
  expect(readdirSync(folder)).toEqual(['ae.safetensors']);
  expect(stored()).toHaveLength(15);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(4);
});

test('goes on where a stopped run was', async () => {
  const remote = await find(`hf:${FILE}`);
  const stop = new AbortController();
  await expect(
    fetchTo(remote, 'ae.safetensors', {
      connections: 1,
      signal: stop.signal,
      onProgress: ({ bytes }) => {
        if (bytes >= 100_000) stop.abort();
      },
    }),
  ).rejects.toThrow(/abort/i);
  expect(readdirSync(folder).sort()).toEqual(['ae.safetensors.part', 'ae.safetensors.part.json']);
  sites.asked.length = 0;
  await fetchTo(remote, 'ae.safetensors');
  expect(readFileSync(join(folder, 'ae.safetensors')).equals(BYTES)).toBe(true);
  expect(stored().length).toBeLessThanOrEqual(10);
});

test('begins anew where the file has become another', async () => {
  writeFileSync(join(folder, 'ae.safetensors.part'), randomBytes(100_000));
  const state = { size: BYTES.length, etag: '"older"', pid: 0, have: [[0, 100_000]] };
  writeFileSync(join(folder, 'ae.safetensors.part.json'), JSON.stringify(state));
  await fetchTo(await find(`hf:${FILE}`), 'ae.safetensors');
  expect(readFileSync(join(folder, 'ae.safetensors')).equals(BYTES)).toBe(true);
});

test('goes on through connections that break off', async () => {
  sites.breakAfter = 9000;
  await fetchTo(await find(`hf:${FILE}`), 'ae.safetensors');
  expect(readFileSync(join(folder, 'ae.safetensors')).equals(BYTES)).toBe(true);
});

test('fetches whole what the server gives no parts of', async () => {
  sites.ranges = false;
  await fetchTo(await find(`hf:${FILE}`), 'ae.safetensors');
  expect(readFileSync(join(folder, 'ae.safetensors')).equals(BYTES)).toBe(true);
  expect(stored()).toHaveLength(1);
});

test('throws bytes away whose hash is not the one that was promised', async () => {
  sites.files.set(FILE, { bytes: BYTES, sha256: 'ab'.repeat(32) });
  await expect(fetchTo(await find(`hf:${FILE}`), 'ae.safetensors')).rejects.toThrow(
    `came with SHA-256 ${sha256Of(BYTES)} instead of ${'ab'.repeat(32)}`,
  );
  expect(readdirSync(folder)).toEqual([]);
});

test('leaves a whole file as it is, and does not take another one for it', async () => {
  const remote = await find(`hf:${FILE}`);
  writeFileSync(join(folder, 'ae.safetensors'), BYTES);
  expect(await fetchTo(remote, 'ae.safetensors')).toMatchObject({ fetched: false, size: BYTES.length });
  writeFileSync(join(folder, 'ae.safetensors'), 'mine');
  await expect(fetchTo(remote, 'ae.safetensors')).rejects.toThrow(
    /is there, with 4 bytes instead of 300000; --force/,
  );
  expect(readFileSync(join(folder, 'ae.safetensors'), 'utf8')).toBe('mine');
  await fetchTo(remote, 'ae.safetensors', { replace: true });
  expect(readFileSync(join(folder, 'ae.safetensors')).equals(BYTES)).toBe(true);
});

test('waits for no other process that fetches the same', async () => {
  const state = { size: BYTES.length, pid: process.ppid, have: [] };
  writeFileSync(join(folder, 'ae.safetensors.part.json'), JSON.stringify(state));
  await expect(fetchTo(await find(`hf:${FILE}`), 'ae.safetensors')).rejects.toThrow(
    `is being pulled by another process, ${process.ppid}`,
  );
});

test('shows a token to the site and never to the store that it sends on to', async () => {
  sites.files.set(FILE, { bytes: BYTES, token: 'hf_secret' });
  await expect(find(`hf:${FILE}`)).rejects.toThrow(/answers 401: Access to model is restricted; .*HF_TOKEN/);
  await fetchTo(await find(`hf:${FILE}`, 'hf_secret'), 'ae.safetensors');
  const shown = new Set(sites.asked.map(({ at, authorization }) => `${at} ${authorization ?? 'nothing'}`));
  expect(shown).toEqual(new Set(['site nothing', 'site Bearer hf_secret', 'store nothing']));
});

test("takes the newest version of a civitai model, by its hash, where it asks for an account's key", async () => {
  sites.files.set('1', { bytes: randomBytes(10) });
  sites.files.set('2', { bytes: BYTES, token: 'key' });
  const remote = await find('civitai:1', 'key');
  expect(remote).toMatchObject({ name: 'pixels-v2.safetensors', folder: 'loras', sha256: sha256Of(BYTES) });
  await fetchTo(remote, 'pixels.safetensors');
  expect(existsSync(join(folder, 'pixels.safetensors'))).toBe(true);
  expect(await find('civitai:1@1')).toMatchObject({ name: 'pixels-v1.safetensors', folder: 'loras' });
  const refused = await find('civitai:1');
  await expect(fetchTo(refused, 'other.safetensors')).rejects.toThrow(/401: Unauthorized/);
  await expect(find('civitai:7')).rejects.toThrow('answers 404: No model with id 7');
});

test('says which host cannot be reached', async () => {
  const closed = await openModelSites();
  await closed.close();
  await expect(
    locate(parseReference('hf:a/b/c.safetensors'), { huggingFace: closed.huggingFace, civitai: '' }),
  ).rejects.toThrow(/^127\.0\.0\.1:\d+ can't be reached: connect ECONNREFUSED/);
});

test('fetches an empty file', async () => {
  sites.files.set('empty.bin', { bytes: new Uint8Array() });
  sites.ranges = false;
  await fetchTo(await find(`${sites.store}/empty.bin`), 'empty.bin');
  expect(readFileSync(join(folder, 'empty.bin'))).toHaveLength(0);
});
