import { mkdirSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';

const home = new DaemonHome();
let daemon: DaemonProcess;

beforeAll(async () => {
  buildCli();
  mkdirSync(home.path('frontend/extensions/core'), { recursive: true });
  mkdirSync(home.path('frontend/assets'));
  writeFileSync(home.path('frontend/index.html'), '<!doctype html><title>an editor</title>');
  writeFileSync(home.path('frontend/assets/index.js'), 'export {};');
  writeFileSync(home.path('frontend/extensions/core/nodes.js'), 'export {};');
  daemon = await home.start('--http', '0', '--web-root', home.path('frontend'));
});
afterAll(async () => {
  await daemon.stop();
  home.remove();
});

const get = (path: string) => fetch(daemon.httpAddress + path);

test("with --web-root, an editor's files are served beside the API", async () => {
  const index = await get('/');
  expect(await index.text()).toContain('an editor');
  // As ComfyUI has it: a new version is seen at once.
  expect(index.headers.get('cache-control')).toBe('no-store, must-revalidate');
  const script = await get('/assets/index.js');
  expect([script.status, script.headers.get('content-type'), script.headers.get('cache-control')]).toEqual([
    200,
    'application/javascript; charset=utf-8',
    'no-store',
  ]);
  expect(await (await get('/api/extensions')).json()).toEqual(['/extensions/core/nodes.js']);
  expect((await get('/extensions/core/nodes.js')).status).toBe(200);
  expect(await (await get('/api/prompt')).json()).toEqual({ exec_info: { queue_remaining: 0 } });
  expect((await get('/missing.js')).status).toBe(404);
  expect((await get('/..%2f..%2fetc/passwd')).status).toBeGreaterThanOrEqual(400);
});

test('pictures that lie beside models are shown, and nothing else is', async () => {
  const square = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });
  await square.png().toFile(home.path('models/checkpoints/sd15-tiny.preview.png'));
  const preview = await get('/api/experiment/models/preview/checkpoints/0/sd15-tiny.webp');
  expect([preview.status, preview.headers.get('content-type')]).toEqual([200, 'image/webp']);
  for (const path of [
    'checkpoints/0/sdxl-tiny.webp',
    'checkpoints/1/sd15-tiny.webp',
    'x/0/a.webp',
    'loras/0/..%2fcheckpoints%2fsd15-tiny.webp',
  ]) {
    expect((await get(`/api/experiment/models/preview/${path}`)).status).toBe(404);
  }
});

test('what the editor asks at its start is answered', async () => {
  const paths = [
    ...[
      'object_info',
      'settings',
      'users',
      'extensions',
      'i18n',
      'embeddings',
      'models',
      'experiment/models',
    ],
    ...['system_stats', 'features', 'queue', 'history?max_items=64', 'jobs?limit=64', 'workflow_templates'],
    ...['global_subgraphs', 'node_replacements', 'v2/userdata?path=workflows', 'internal/logs/raw'],
  ];
  const replies = await Promise.all(paths.map(async (path) => [path, (await get(`/api/${path}`)).status]));
  expect(replies.filter(([, status]) => status !== 200 && status !== 404)).toEqual([]);
  const missing = replies.filter(([, status]) => status === 404).map(([path]) => path);
  // A folder of workflows that nobody has made, as in ComfyUI.
  expect(missing).toEqual(['v2/userdata?path=workflows']);
});
