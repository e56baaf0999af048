/** What the daemon says of models that it never ran. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { pictureWork } from '../../../src/engine/picture-work.js';
import { Estimates, type MeasuredTime } from '../../../src/jobs/estimates.js';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, generate, type Client, type DaemonProcess } from '../../support/daemon-process.js';
import { tinyCheckpoint } from '../../support/golden.js';

let home: DaemonHome;
let daemon: DaemonProcess;
let client: Client;

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  daemon = await home.start();
  client = daemon.client();
});
afterAll(async () => {
  client.close();
  await daemon.stop();
  home.remove();
});

/** What the journal holds of times. */
function kept(): MeasuredTime[] {
  const journal = new Database(home.path('latentd-data/journal.sqlite'), { readonly: true });
  try {
    return journal
      .prepare<[], MeasuredTime>(
        'SELECT model, pixels, measure, count, mean_s AS meanSeconds FROM measured_time',
      )
      .all();
  } finally {
    journal.close();
  }
}

/** By the speed that the engine has measured. */
function expected(family: 'sd15' | 'sdxl', side: number, steps: number, guided = true): number {
  const estimates = new Estimates(kept());
  const load = { model: 'm', pixels: side * side, steps, images: 1 };
  estimates.expect(load, pictureWork(tinyCheckpoint(family), { pixels: load.pixels, guided }));
  return estimates.seconds(load);
}

async function estimateOf(message: ReturnType<typeof generate>): Promise<number> {
  const reply = await client.ask(message);
  await client.ask({ type: 'cancel', job_id: message.id });
  await vi.waitFor(async () => {
    expect(await client.ask({ type: 'status' })).toMatchObject({ active_jobs: 0, queue_size: 0 });
  }, 30_000);
  return Number(reply['estimated_time_s']);
}

test('a model is estimated by its FLOPs and the speed of the engine, kept in the journal', async () => {
  await vi.waitFor(() => {
    expect(kept().map(({ measure }) => measure)).toEqual(['TFLOP']);
  }, 30_000);
  // The thread that counts is slow to start on a busy machine, and then nobody waits for an estimate.
  await vi.waitFor(async () => {
    const faulty = { '1': { class_type: 'Nothing', inputs: {} } };
    const reply = await client.ask({ type: 'generate', id: 'faulty', workflow: JSON.stringify(faulty) });
    expect(reply).toMatchObject({ type: 'job_error', workflow_error: {} });
  }, 30_000);
  const request = generate({ model: 'sdxl-tiny', steps: 4000, size: [256, 256], cfg_scale: 7 });
  expect(await estimateOf(request)).toBeCloseTo(expected('sdxl', 256, 4000), 6);
});

test('so is that of a workflow of the client’s own', async () => {
  const workflow = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../graphs/sprite_optimized.json'), 'utf8').replaceAll(
      '{{PROMPT}}',
      'x',
    ),
  ) as Record<string, { class_type: string; inputs: Record<string, unknown> }>;
  for (const { class_type: type, inputs } of Object.values(workflow)) {
    if ('ckpt_name' in inputs) inputs['ckpt_name'] = 'sd15-tiny.safetensors';
    if (type === 'EmptyLatentImage') Object.assign(inputs, { width: 128, height: 128 });
    if (type === 'KSampler') Object.assign(inputs, { steps: 3000, cfg: 1 });
  }
  const id = 'own';
  const reply = await estimateOf({ type: 'generate', id, workflow: JSON.stringify(workflow) } as never);
  expect(reply).toBeCloseTo(expected('sd15', 128, 3000, false), 6);
});

test('the daemon has no inference in it after that', () => {
  const maps = readFileSync(join('/proc', String(daemon.pid), 'maps'), 'utf8');
  expect(maps).toMatch(/better_sqlite3\.node/);
  expect(maps).not.toMatch(/onnxruntime|sharp|vips/);
});
