/**
 * ComfyUI's own editor in Debian's Chromium, against a daemon: `node tools/editor.mjs DIR [SCREENSHOTS]`, where DIR is a build of
 * ComfyUI's frontend. By hand: the editor is no part of this project. Prints what holds; exits 1 when something does not.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const [webRoot, screenshots] = process.argv.slice(2);
if (webRoot === undefined) throw new Error('usage: node tools/editor.mjs DIR [SCREENSHOTS]');
const root = fileURLToPath(new URL('..', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'latentd-editor-'));
const CHECKPOINT = 'starter-sprites.safetensors';
const USER = join(home, 'data/user/default');
const SAVED = join(USER, 'workflows/checked.json');
let failures = 0;

/** A small picture of the model that comes with latentd. */
const prompt = {
  4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: CHECKPOINT } },
  5: { class_type: 'EmptyLatentImage', inputs: { width: 128, height: 128, batch_size: 1 } },
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a knight', clip: ['4', 1] } },
  7: { class_type: 'CLIPTextEncode', inputs: { text: '', clip: ['4', 1] } },
  3: {
    class_type: 'KSampler',
    inputs: {
      ...{ seed: 7, steps: 12, cfg: 4, sampler_name: 'euler', scheduler: 'normal', denoise: 1 },
      ...{ model: ['4', 0], positive: ['6', 0], negative: ['7', 0], latent_image: ['5', 0] },
    },
  },
  8: { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
  9: { class_type: 'SaveImage', inputs: { filename_prefix: 'editor', images: ['8', 0] } },
};

async function check(what, action) {
  try {
    const note = await action();
    console.log(`holds  ${what}${note === undefined ? '' : `: ${note}`}`);
  } catch (error) {
    failures++;
    console.log(`FAILS  ${what}: ${String(error.message).split('\n')[0]}`);
    await shoot(`failure ${failures}`);
  }
}

function expect(isTrue, what) {
  if (!isTrue) throw new Error(what);
}

mkdirSync(USER, { recursive: true });
// One who has been here before: no tour.
writeFileSync(join(USER, 'comfy.settings.json'), JSON.stringify({ 'Comfy.TutorialCompleted': true }));
const { daemon, address } = await startDaemon();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
const [broken, refused] = [[], []];
page.on('pageerror', (error) => broken.push(String(error)));
page.on('response', (reply) => {
  if (reply.url().startsWith(address) && reply.status() >= 400) {
    refused.push(`${reply.request().method()} ${new URL(reply.url()).pathname} ${reply.status()}`);
  }
});
page.setDefaultTimeout(15_000);

await check('the editor loads', async () => {
  await load();
});
await check('nodes are listed', async () => {
  const count = await page.evaluate(() => Object.keys(globalThis.LiteGraph.registered_node_types).length);
  expect(count > 500, `only ${count} node types`);
  await page.locator('.node-library-tab-button').click();
  await page
    .getByPlaceholder(/search/i)
    .first()
    .fill('KSamplerAdvanced');
  await page.getByText('KSampler (Advanced)').first().waitFor();
  await shoot('nodes');
  return `${count} types`;
});
await check('models are listed', async () => {
  await page.locator('.model-library-tab-button').click();
  await page.getByText('checkpoints', { exact: false }).first().click();
  await page.getByText('starter-sprites', { exact: false }).first().waitFor();
  await shoot('models');
});
await check('a workflow is opened', async () => {
  await page.evaluate((nodes) => globalThis.app.loadApiJson(nodes, 'checked'), prompt);
  const [count, chosen] = await page.evaluate(() => [
    globalThis.app.graph._nodes.length,
    globalThis.app.graph._nodes.find(({ type }) => type === 'CheckpointLoaderSimple').widgets[0].value,
  ]);
  expect(count === 7, `${count} nodes`);
  expect(chosen === CHECKPOINT, `the checkpoint is ${chosen}`);
});
await check('Run queues it; progress, previews and the picture are shown', async () => {
  await page.evaluate(() => {
    globalThis.heard = {};
    const { api } = globalThis.app;
    for (const type of [
      'execution_start',
      'executing',
      'progress',
      'b_preview',
      'executed',
      'execution_success',
    ]) {
      api.addEventListener(type, () => (globalThis.heard[type] = (globalThis.heard[type] ?? 0) + 1));
    }
  });
  await page.getByRole('button', { name: 'Run', exact: true }).first().click();
  await page.waitForFunction(() => globalThis.heard.b_preview > 0);
  await shoot('preview');
  await page.waitForFunction(() => globalThis.heard.execution_success > 0);
  await page.waitForFunction(() => {
    const node = globalThis.app.graph._nodes.find(({ type }) => type === 'SaveImage');
    return (
      node.imgs?.[0]?.naturalWidth === 128 || globalThis.document.querySelector('img[src*="editor_00001_"]')
    );
  });
  await shoot('picture');
  const heard = await page.evaluate(() => globalThis.heard);
  expect(heard.progress >= 12, JSON.stringify(heard));
  return JSON.stringify(heard);
});
await check('a run that fails says where', async () => {
  await page.evaluate(() => {
    const { graph } = globalThis.app;
    graph._nodes.find(({ type }) => type === 'CheckpointLoaderSimple').widgets[0].value =
      'missing.safetensors';
  });
  await page.getByRole('button', { name: 'Run', exact: true }).first().click();
  await page.getByText('Value not in list').first().waitFor();
  await shoot('error');
  await page.evaluate((name) => {
    const { graph } = globalThis.app;
    graph._nodes.find(({ type }) => type === 'CheckpointLoaderSimple').widgets[0].value = name;
  }, CHECKPOINT);
  await page.getByText('Dismiss').click();
});
await check('a run can be interrupted', async () => {
  await page.evaluate(() => {
    const { api, graph } = globalThis.app;
    const sampler = graph._nodes.find(({ type }) => type === 'KSampler');
    sampler.widgets.find(({ name }) => name === 'steps').value = 5000;
    api.addEventListener('execution_interrupted', () => (globalThis.heard.interrupted = 1));
    globalThis.heard.progress = 0;
    void globalThis.app.queuePrompt(0);
  });
  await page.waitForFunction(() => globalThis.heard.progress > 0);
  await page.evaluate(() => globalThis.app.extensionManager.command.execute('Comfy.Interrupt'));
  await page.waitForFunction(() => globalThis.heard.interrupted === 1);
});
await check('a workflow is saved', async () => {
  await page.evaluate(() => globalThis.app.canvas.canvas.focus());
  await page.keyboard.press('Control+s');
  // Its name is asked for; `checked` is what it was opened as.
  await page.getByRole('dialog').getByRole('textbox').first().waitFor();
  await page.keyboard.press('Enter');
  for (let tries = 0; tries < 50 && !existsSync(SAVED); tries++) await page.waitForTimeout(100);
  await shoot('saved');
  expect(JSON.parse(readFileSync(SAVED, 'utf8')).nodes.length === 7, 'it lacks nodes');
});
await check('a setting is kept', async () => {
  await page.evaluate(() => globalThis.app.extensionManager.setting.set('Comfy.ColorPalette', 'light'));
  await page.waitForTimeout(500);
  const kept = JSON.parse(readFileSync(join(USER, 'comfy.settings.json'), 'utf8'));
  expect(kept['Comfy.ColorPalette'] === 'light', JSON.stringify(kept).slice(0, 200));
});
await check('the saved workflow, the setting and the history are there when it is opened again', async () => {
  await load();
  const palette = await page.evaluate(() =>
    globalThis.app.extensionManager.setting.get('Comfy.ColorPalette'),
  );
  expect(palette === 'light', `the palette is ${palette}`);
  await page.locator('.workflows-tab-button').click();
  await page.getByText('checked', { exact: false }).first().waitFor();
  const jobs = await page.evaluate(() => globalThis.app.api.getHistory(20));
  expect((jobs.History ?? jobs).length >= 1, 'the history is empty');
  await shoot('again');
});
await check('a picture is given to Load Image', async () => {
  const name = await page.evaluate(async () => {
    const canvas = new globalThis.OffscreenCanvas(8, 8);
    canvas.getContext('2d').fillRect(0, 0, 8, 8);
    const form = new FormData();
    form.append('image', await canvas.convertToBlob(), 'given.png');
    await globalThis.app.api.fetchApi('/upload/image', { method: 'POST', body: form });
    await globalThis.app.refreshComboInNodes();
    const node = globalThis.LiteGraph.createNode('LoadImage');
    globalThis.app.graph.add(node);
    return node.widgets[0].value;
  });
  expect(name === 'given.png', `it offers ${name}`);
});
await check('nothing broke in the page', () => {
  expect(broken.length === 0, [...new Set(broken)].join('; '));
});
console.log('asked for and not there:', [...new Set(refused)].join(', ') || 'nothing');

await browser.close();
daemon.kill();
rmSync(home, { recursive: true, force: true });
process.exitCode = failures === 0 ? 0 : 1;

async function load() {
  await page.goto(`${address}/`);
  await page.waitForFunction(
    () => globalThis.app?.extensionManager !== undefined && globalThis.app.vueAppReady,
  );
  await page.getByRole('button', { name: 'Run', exact: true }).first().waitFor();
}

async function shoot(name) {
  if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

/** With folders of its own, and the models of the project. */
async function startDaemon() {
  const folders = ['data', 'input', 'output'].flatMap((name) => [`--${name}`, join(home, name)]);
  const sockets = ['--req-addr', 'tcp://127.0.0.1:*', '--pub-addr', 'tcp://127.0.0.1:*', '--http', '0'];
  const args = ['serve', ...sockets, '--models', join(root, 'models'), '--web-root', webRoot, ...folders];
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for await (const line of createInterface({ input: child.stderr })) {
    const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (found !== undefined) return { daemon: child, address: found };
  }
  throw new Error('the daemon did not start');
}
