/** A daemon with a node pack: its classes are known where jobs are admitted, and where they run. */
import { existsSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  DaemonHome,
  generate,
  type Client,
  type DaemonProcess,
  type Listener,
} from '../../support/daemon-process.js';
import { buildCli } from '../latentd.js';

const PACK = `
  const shade = { kind: 'FLOAT', default: 0.5, min: 0, max: 1 };
  export const nodes = [
    {
      name: 'PlainShade', displayName: 'Plain Shade', category: 'test', description: 'One shade all over.',
      required: { shade }, optional: {}, outputs: [{ type: 'IMAGE', name: 'image' }],
      run: ({ shade }) => ({
        outputs: [{ dtype: 'float32', shape: [1, 8, 8, 3], data: new Float32Array(192).fill(shade) }],
      }),
    },
  ];
`;

let home: DaemonHome;
let daemon: DaemonProcess;
let client: Client;
let listener: Listener;

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  writeFileSync(home.path('pack.mjs'), PACK);
  daemon = await home.start('--node-pack', './pack.mjs');
  client = daemon.client();
  listener = await daemon.listen();
});
afterAll(async () => {
  client.close();
  listener.close();
  await daemon.stop();
  home.remove();
});

const shaded = (shade: unknown) => ({
  1: { class_type: 'PlainShade', inputs: { shade } },
  2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'shade' } },
});

test('runs a job with its class', async () => {
  const { id } = generate();
  await client.accept({ type: 'generate', id, prompt: '', model: '', workflow: shaded(0.25) });
  const last = (await listener.untilOver(id)).at(-1)!;
  expect(last.type, JSON.stringify(last)).toBe('job_complete');
  const path = String(last['image_path']);
  expect(existsSync(path)).toBe(true);
  expect(await sharp(path).raw().toBuffer()).toEqual(Buffer.alloc(192, 63));
});

test('turns away what its class does not take', async () => {
  const { id } = generate();
  const reply = await client.ask({ type: 'generate', id, prompt: '', model: '', workflow: shaded(2) });
  expect(reply.type).toBe('job_error');
  expect(JSON.stringify(reply)).toContain('shade');
});
