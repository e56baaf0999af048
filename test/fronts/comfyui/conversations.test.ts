/** The same conversations with the daemon as with ComfyUI's own server (tools/reference/comfyui-conversations.mjs). */
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';

interface Said {
  readonly what: string;
  readonly answer: unknown;
}

type Conversations = Readonly<Record<string, readonly Said[]>>;

const fixture = new URL('../../fixtures/comfyui/conversations.json', import.meta.url);
const reference = JSON.parse(readFileSync(fixture, 'utf8')) as Conversations;
const { hold } = (await import(
  new URL('../../../tools/reference/comfyui-conversations.mjs', import.meta.url).href
)) as { readonly hold: (base: string) => Promise<Conversations> };

describe("conversations with the daemon are those with ComfyUI's server", () => {
  const home = new DaemonHome();
  let daemon: DaemonProcess;
  let held: Conversations;

  beforeAll(async () => {
    buildCli();
    // The reference had the other one alone.
    rmSync(home.path('models/checkpoints/sdxl-tiny.safetensors'));
    daemon = await home.start('--http', '0', '--device', 'cpu', '--preview-method', 'none');
    held = await hold(daemon.httpAddress);
  });
  afterAll(async () => {
    await daemon.stop();
    home.remove();
  });

  test.each(Object.keys(reference))('%s', (name) => {
    expect(held[name]).toEqual(reference[name]);
  });
});
