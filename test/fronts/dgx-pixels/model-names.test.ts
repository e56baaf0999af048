/** Clients that send fixed model names, on installations that have none of those files. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STARTER } from '../../../src/models/folders/starter.js';
import { buildCli, ROOT } from '../../cli/latentd.js';
import { DaemonHome, DaemonProcess, generate } from '../../support/daemon-process.js';

const homes: { remove(): void }[] = [];
const daemons: DaemonProcess[] = [];
beforeAll(buildCli);
afterAll(async () => {
  for (const daemon of daemons) await daemon.stop();
  for (const home of homes) home.remove();
});

async function started(settings: object): Promise<readonly [DaemonHome, DaemonProcess]> {
  const home = new DaemonHome();
  homes.push(home);
  home.configure(settings);
  const daemon = await home.start();
  daemons.push(daemon);
  return [home, daemon];
}

/** What DGX-Pixels' terminal UI, its Python client and its MCP server name until they are told otherwise. */
const FIXED_NAMES = [
  'sd_xl_base_1.0',
  'sd_xl_base_1.0.safetensors',
  'sdxl',
  'sdxl-base',
  'SDXL Base 1.0',
  '',
];

describe('a name that is no file', () => {
  test('is drawn by what templates would take, and the reply and the log say so', async () => {
    const [, daemon] = await started({});
    const client = daemon.client();
    const listener = await daemon.listen();
    for (const [index, model] of FIXED_NAMES.entries()) {
      const id = `fixed-${index}`;
      const reply = await client.ask(generate({ id, model, steps: 1 }));
      const notice = `there is no model ${JSON.stringify(model)}, so sdxl-tiny.safetensors draws instead`;
      expect(reply).toMatchObject({ type: 'job_accepted', job_id: id, notice });
      expect((await listener.untilOver(id)).at(-1)).toMatchObject({ type: 'job_complete' });
      expect(daemon.log.some((line) => line['job'] === id && line['notice'] === notice)).toBe(true);
    }
    client.close();
    listener.close();
  });

  test('is drawn by the configured default', async () => {
    const [, daemon] = await started({ defaultModel: 'sd15-tiny' });
    const client = daemon.client();
    const reply = await client.ask(generate({ model: 'sdxl', steps: 1 }));
    expect(reply['notice']).toBe('there is no model "sdxl", so sd15-tiny.safetensors draws instead');
    client.close();
  });

  test('is refused where settings say so, and paths always', async () => {
    const [, daemon] = await started({ strictModels: true });
    const client = daemon.client();
    expect(await client.ask(generate({ model: 'sd15-tinny' }))).toMatchObject({
      type: 'job_error',
      error: 'Model not found: sd15-tinny; nearest: "sd15-tiny", "sdxl-tiny"',
    });
    client.close();
  });
});

test('on a fresh install, the starter model draws', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-fresh-'));
  homes.push({
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  });
  const daemon = new DaemonProcess(folder, []);
  daemons.push(daemon);
  await daemon.logged('ready');
  const client = daemon.client();
  const listener = await daemon.listen();
  const request = generate({ model: 'sd_xl_base_1.0', size: [128, 128], steps: 2 });
  expect((await client.ask(request))['notice']).toContain(STARTER.checkpoint);
  expect((await listener.untilOver(request.id)).at(-1)).toMatchObject({ type: 'job_complete' });
  expect(existsSync(join(folder, 'models/checkpoints', STARTER.checkpoint))).toBe(true);
  client.close();
  listener.close();
});

test("another's models folder is never written to", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-theirs-'));
  homes.push({
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  });
  mkdirSync(join(folder, 'theirs/loras'), { recursive: true });
  copyFileSync(join(ROOT, 'models/loras', STARTER.lora), join(folder, 'theirs/loras', STARTER.lora));
  const daemon = new DaemonProcess(folder, ['--models', 'theirs']);
  daemons.push(daemon);
  await daemon.logged('ready');
  const client = daemon.client();
  expect(await client.ask(generate({ model: 'sdxl' }))).toMatchObject({
    type: 'job_error',
    error: 'Model not found: sdxl',
  });
  expect(existsSync(join(folder, 'theirs/checkpoints'))).toBe(false);
  client.close();
});
