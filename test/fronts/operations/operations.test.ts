import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';
import { SocketClient } from '../../support/web-socket.js';
import { picture } from '../comfyui/prompts.js';

const home = new DaemonHome();
let daemon: DaemonProcess;

beforeAll(async () => {
  buildCli();
  daemon = await home.start('--http', '0', '--device', 'cpu,cpu');
});
afterAll(async () => {
  await daemon.stop();
  home.remove();
});

/** Both engines are up. */
async function enginesUp(): Promise<void> {
  while ((await metric('latentd_engines')) !== 2) await delay(20);
}

async function run(prompt: object): Promise<void> {
  const client = await SocketClient.open(daemon.httpAddress, 'operator');
  const reply = await fetch(`${daemon.httpAddress}/prompt`, {
    method: 'POST',
    body: JSON.stringify({ prompt, client_id: 'operator' }),
  });
  const { prompt_id: id } = (await reply.json()) as { prompt_id: string };
  await client.over(id);
  client.raw.close();
}

/** The value of a line of /metrics. */
async function metric(line: string): Promise<number | undefined> {
  const text = await (await fetch(`${daemon.httpAddress}/metrics`)).text();
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

test('/metrics counts jobs, what they took, and loads', async () => {
  await enginesUp();
  await run(picture({ steps: 2 }));
  await run({
    ...picture({ steps: 2, seed: 5 }),
    '7': { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: '../out' } },
    '3': {
      ...picture({ seed: 5 })['3']!,
      inputs: { ...picture({ seed: 5 })['3']!.inputs, negative: ['6', 0] },
    },
  });
  expect(await metric('latentd_jobs_total{front="comfyui",state="completed"}')).toBe(1);
  expect(await metric('latentd_jobs_total{front="comfyui",state="failed"}')).toBe(1);
  expect(await metric('latentd_job_running_seconds_count{front="comfyui",workflow="sampling"}')).toBe(2);
  expect(await metric('latentd_job_waiting_seconds_count{front="comfyui"}')).toBe(2);
  expect(await metric('latentd_node_seconds_count{work="sampling"}')).toBe(2);
  // The second job went to the engine that has the model loaded.
  expect(await metric('latentd_model_loads_total')).toBe(1);
  expect(await metric('latentd_jobs_waiting')).toBe(0);
  expect(await metric('latentd_engines')).toBe(2);
  expect(await metric('latentd_engine_up{engine="1",device="cpu"}')).toBe(1);
  expect(await metric('latentd_engines_set_aside')).toBe(0);
  expect(await metric('latentd_engine_resident_bytes')).toBeGreaterThan(2 ** 20);
  expect(await metric('process_resident_memory_bytes')).toBeGreaterThan(2 ** 20);
});

test('/ready says what is missing', async () => {
  const ready = async () => {
    const reply = await fetch(`${daemon.httpAddress}/ready`);
    return [reply.status, await reply.json()];
  };
  const checks = { engine: 'ok', models: 'ok', data: 'ok', output: 'ok', queue: 'ok' };
  expect(await ready()).toEqual([200, { ready: true, checks }]);
  rmSync(home.path('models'), { recursive: true });
  expect(await ready()).toEqual([
    503,
    { ready: false, checks: { ...checks, models: 'the folder is not there, or can not be read' } },
  ]);
});
