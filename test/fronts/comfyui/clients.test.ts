/** Clients of ComfyUI's API from npm, as they are. */
import { createRequire } from 'node:module';
import { ComfyApi, CallWrapper, PromptBuilder, type NodeData } from '@saintno/comfyui-sdk';
import { Client, Workflow } from '@stable-canvas/comfyui-client';
import { ComfyUIClient } from 'comfy-ui-client';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';
import { inverted, picture } from './prompts.js';

const home = new DaemonHome();
let daemon: DaemonProcess;
let host: string;

beforeAll(async () => {
  buildCli();
  daemon = await home.start('--http', '127.0.0.1:0', '--device', 'cpu');
  host = daemon.httpAddress.replace('http://', '');
});
afterAll(async () => {
  await daemon.stop();
  home.remove();
});

const redSquare = () => solid('red');
const solid = (background: string, channels: 3 | 4 = 3) =>
  sharp({ create: { width: 16, height: 16, channels, background } })
    .png()
    .toBuffer();

const queue = async () => (await fetch(`http://${host}/queue`)).json();
/** Until a prompt runs. */
const running = (id: string) =>
  expect
    .poll(queue, { timeout: 30_000 })
    .toMatchObject({ queue_running: [[expect.any(Number), id, {}, {}, expect.any(Array)]] });
/** Until it was interrupted. */
const interrupted = (id: string) =>
  expect
    .poll(async () => (await fetch(`http://${host}/history/${id}`)).text(), { timeout: 30_000 })
    .toContain('execution_interrupted');

test('comfy-ui-client', async () => {
  const client = new ComfyUIClient(host, 'comfy-ui-client');
  await client.connect();
  const uploaded = await client.uploadImage(await redSquare(), 'red.png', true);
  expect(uploaded).toEqual({ name: 'red.png', subfolder: '', type: 'input' });
  const images = await client.getImages(inverted('red.png'));
  const [saved] = images['3']!;
  const { channels } = await sharp(Buffer.from(await saved!.blob.arrayBuffer())).stats();
  expect(channels.slice(0, 3).map(({ mean }) => mean)).toEqual([0, 255, 255]);
  expect(saved!.image).toEqual({ filename: 'inverted_00001_.png', subfolder: '', type: 'output' });

  const mask = await client.uploadMask(
    await solid('rgba(0, 0, 0, 0.2)', 4),
    'masked.png',
    { filename: 'red.png', subfolder: '', type: 'input' },
    true,
  );
  const masked = await client.getImage(mask.name, mask.subfolder, mask.type);
  const { data } = await sharp(Buffer.from(await masked.arrayBuffer()))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([...data.subarray(0, 4)]).toEqual([255, 0, 0, 51]);

  const { prompt_id: id } = await client.queuePrompt(picture({ steps: 1 }));
  expect(
    (await client.getQueue()).queue_running.length + (await client.getQueue()).queue_pending.length,
  ).toBeLessThan(2);
  expect(await client.getPrompt()).toHaveProperty('exec_info.queue_remaining');
  // An earlier prompt of this client, which is in the history of every test.
  const history = await client.getHistory();
  expect(Object.values(history)[0]).toMatchObject({ status: { status_str: 'success', completed: true } });
  expect(await client.getHistory('unknown')).toEqual({});
  expect(id).toMatch(/^[\da-f-]{36}$/);
  expect(await client.getSystemStats()).toMatchObject({
    system: { os: 'linux' },
    devices: [{ type: 'cpu' }],
  });
  const info = await client.getObjectInfo('CheckpointLoaderSimple');
  expect(info).toHaveProperty('CheckpointLoaderSimple.input.required.ckpt_name.0', [
    'sd15-tiny.safetensors',
    'sdxl-tiny.safetensors',
  ]);
  expect(await client.getObjectInfo('NoSuchNode')).toEqual({});
  expect(await client.getEmbeddings()).toEqual([]);
  expect(await client.getExtensions()).toEqual([]);
  const { prompt_id: long } = await client.queuePrompt(picture({ seed: 9, steps: 5000 }));
  await running(long);
  // It reads JSON off answers that are empty in ComfyUI, too.
  await expect(client.interrupt()).rejects.toThrow('Unexpected end of JSON input');
  await interrupted(long);
  await expect(client.editHistory({ delete: [id] })).rejects.toThrow('Unexpected end of JSON input');
  await expect(client.queuePrompt({ '1': { class_type: 'NoSuchNode', inputs: {} } })).rejects.toThrow(
    'missing_node_type',
  );
  await client.disconnect();
});

test('@stable-canvas/comfyui-client', async () => {
  const WebSocket: unknown = createRequire(import.meta.url)('ws');
  const client = new Client({ api_host: host, clientId: 'stable-canvas', WebSocket, fetch });
  void client.connect();
  const done = await client.enqueue(picture({ seed: 11, steps: 3, prefix: 'canvas' }), {
    disable_random_seed: true,
  });
  // It takes previews of the pictures for pictures, too.
  expect(done.images.map(({ type }) => type)).toEqual(expect.arrayContaining(['buff', 'url']));
  const { prompt_id: id } = done;
  // It is content as soon as it hears of success, a moment before the history has it.
  await client.waitForPrompt(id, 10);
  expect(await client.getPromptStatus(id)).toEqual({ running: false, pending: false, done: true });
  expect(await client.getPromptOutputs(id)).toHaveProperty('9.images.0.filename', 'canvas_00001_.png');

  // The types are ComfyUI's own node classes; a workflow is built by calling them.
  const workflow = new Workflow();
  const { node } = workflow as unknown as { node: (type: string, inputs: object) => readonly unknown[] };
  const nodeOf = node.bind(workflow);
  const [image] = nodeOf('EmptyImage', { width: 8, height: 8, batch_size: 1, color: 255 });
  nodeOf('SaveImage', { images: image, filename_prefix: 'built' });
  const built = await workflow.invoke(client);
  expect(built.images).toHaveLength(1);
  const polled = await client.enqueue_polling(picture({ seed: 12, steps: 1, prefix: 'polled' }));
  expect(polled.images).toHaveLength(1);

  expect(await client.getSamplers()).toContain('dpmpp_2m');
  expect(await client.getSDModels()).toContain('sd15-tiny.safetensors');
  expect(await client.getLoRAs()).toEqual(['sd15-tiny-lora.safetensors']);
  await client.storeSetting('Comfy.ColorPalette', 'dark');
  expect(await client.getSetting('Comfy.ColorPalette')).toBe('dark');
  // It has no method that uploads, but one that asks whatever there is.
  const form = new FormData();
  form.append('image', new Blob([await redSquare()]), 'canvas.png');
  const uploaded = await client.fetchApi('/upload/image', { method: 'POST', body: form });
  expect(await uploaded.json()).toMatchObject({ name: 'canvas.png', type: 'input' });
  expect(JSON.stringify(await client.getHistory(200))).toContain(id);
  const shown = await fetch(client.viewURL('canvas_00001_.png', '', 'output'));
  expect(shown.headers.get('content-type')).toBe('image/png');
  const heard: string[] = [];
  client.on('execution_interrupted', ({ prompt_id: which }) => heard.push(which));
  // It waits for a picture all the same.
  void client.enqueue(picture({ seed: 13, steps: 5000 })).catch(() => undefined);
  await expect.poll(async () => JSON.stringify(await queue())).toContain('5000');
  await expect
    .poll(async () => JSON.stringify(((await queue()) as { queue_running: unknown }).queue_running))
    .toContain('5000');
  await client.interrupt();
  await expect.poll(() => heard.length).toBe(1);
  await client.clearItems('queue');
  await client.deleteItem('history', id);
  expect(await client.getPromptOutputs(id).catch(() => 'gone')).toBe('gone');
  client.close();
});

test('@saintno/comfyui-sdk', async () => {
  const api = new ComfyApi(daemon.httpAddress, 'saintno');
  await api.init().waitForReady();
  expect(await api.getSystemStats()).toMatchObject({ system: { os: 'linux' } });
  // Its types want a title of every node.
  const nodes = picture({ prefix: 'saintno', steps: 4 }) as Record<string, NodeData[string]>;
  const prompt = new PromptBuilder(nodes, ['seed'], ['images'])
    .setInputNode('seed', '3.inputs.seed')
    .setOutputNode('images', '9')
    .input('seed', 21);
  const heard: string[] = [];
  const finished = await new Promise<{ images: { images: { filename: string }[] } }>((resolve, reject) => {
    void new CallWrapper(api, prompt)
      .onStart(() => heard.push('start'))
      .onProgress(({ value }) => heard.push(`step ${value}`))
      .onPreview((blob) => heard.push(`preview of ${blob.size > 8 ? 'bytes' : 'nothing'}`))
      .onOutput((key) => heard.push(`output ${key}`))
      .onFinished((data) => {
        resolve(data as never);
      })
      .onFailed(reject)
      .run();
  });
  expect(finished.images.images).toMatchObject([{ filename: 'saintno_00001_.png' }]);
  expect(heard).toEqual(
    expect.arrayContaining(['start', 'step 1', 'step 4', 'preview of bytes', 'output images']),
  );
  const blob = await api.getImage(finished.images.images[0] as never);
  expect(blob.type).toBe('image/png');

  expect(await api.getCheckpoints()).toContain('sd15-tiny.safetensors');
  expect(await api.getFeatures()).toMatchObject({ supports_preview_metadata: true });
  expect(await api.getModelTypes()).toContain('checkpoints');
  expect((await api.getModels('loras')).length).toBe(1);
  await api.storeSettings({ 'Comfy.Test': 1 });
  expect(await api.getSettings()).toMatchObject({ 'Comfy.Test': 1 });
  const histories = await api.getHistories(1);
  expect(Object.keys(histories)).toHaveLength(1);
  expect(await api.uploadImage(await redSquare(), 'saintno.png')).toMatchObject({
    info: { filename: 'saintno.png', type: 'input' },
  });
  const long = await api.queuePrompt(0, picture({ seed: 22, steps: 5000 }));
  await running(long.prompt_id);
  await api.interrupt();
  await interrupted(long.prompt_id);
  expect(await api.getHistory(long.prompt_id)).toMatchObject({ status: { status_str: 'error' } });
  expect(await api.freeMemory(false, false)).toBe(true);
  await api.clearHistory({ clear: true });
  expect(await api.getHistories()).toEqual({});
  api.destroy();
});

test("a workflow in the editor's form", async () => {
  const prompt = {
    nodes: [
      {
        id: 1,
        type: 'EmptyImage',
        outputs: [{ name: 'IMAGE', type: 'IMAGE' }],
        widgets_values: [8, 8, 1, 255],
      },
      {
        id: 2,
        type: 'SaveImage',
        inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
        widgets_values: ['edited'],
      },
    ],
    links: [[1, 1, 0, 2, 0, 'IMAGE']],
    version: 0.4,
  };
  const headers = { 'content-type': 'application/json' };
  const queued = await fetch(`http://${host}/prompt`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ prompt }),
  });
  const { prompt_id: id, node_errors: errors } = (await queued.json()) as Record<string, unknown>;
  expect(errors).toEqual({});
  await expect
    .poll(async () => (await fetch(`http://${host}/history/${String(id)}`)).json(), { timeout: 30_000 })
    .toMatchObject({
      [String(id)]: {
        prompt: [
          expect.any(Number),
          id,
          { 2: { class_type: 'SaveImage', inputs: { images: ['1', 0] } } },
          { extra_pnginfo: { workflow: prompt } },
          ['2'],
        ],
        outputs: { 2: { images: [{ filename: 'edited_00001_.png' }] } },
      },
    });
});
