import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { encode } from '@msgpack/msgpack';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STAGES } from '../../../src/fronts/dgx-pixels/wire/protocol.js';
import { buildCli } from '../../cli/latentd.js';
import {
  DaemonHome,
  generate,
  type Client,
  type DaemonProcess,
  type Listener,
} from '../../support/daemon-process.js';
import { wireTypes } from '../../support/wire-types.js';

let home: DaemonHome;
let daemon: DaemonProcess;
let client: Client;
let listener: Listener;

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  daemon = await home.start();
  client = daemon.client();
  listener = await daemon.listen();
});
afterAll(async () => {
  client.close();
  listener.close();
  await daemon.stop();
  home.remove();
});

/** The workflow in a picture that the daemon wrote. */
async function recorded(path: string): Promise<Record<string, { inputs: Record<string, unknown> }>> {
  const { comments } = await sharp(path).metadata();
  const prompt = comments?.find(({ keyword }) => keyword === 'prompt');
  return JSON.parse(prompt?.text ?? '{}') as Record<string, { inputs: Record<string, unknown> }>;
}

describe('one image', () => {
  test('is told from start to end as the protocol has it', async () => {
    const request = generate({ steps: 12, size: [64, 128] });
    const reply = await client.ask(request);
    expect(reply).toMatchObject({ type: 'job_accepted', job_id: request.id });
    expect(reply['estimated_time_s']).toBeGreaterThan(0);

    const heard = await listener.untilOver(request.id);
    const types = heard.map(({ type }) => type).filter((type) => type !== 'progress' && type !== 'preview');
    expect(types).toEqual(['job_started', 'job_finished', 'job_complete']);
    expect(heard[0]!['timestamp']).toBeCloseTo(Date.now() / 1000, -2);
    expect(heard.at(-2)).toMatchObject({ success: true });

    const progress = heard.filter(({ type }) => type === 'progress');
    expect([...new Set(progress.map(({ stage }) => stage))]).toEqual([...STAGES]);
    const percents = progress.map(({ percent }) => Number(percent));
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(percents.at(-1)).toBe(100);
    expect(progress.every(({ total_steps: total }) => total === 12)).toBe(true);
    expect(progress.at(-1)).toMatchObject({ stage: 'post_processing', step: 12, eta_s: 0 });

    const path = String(heard.at(-1)!['image_path']);
    expect(isAbsolute(path)).toBe(true);
    expect(await sharp(path).metadata()).toMatchObject({ format: 'png', width: 64, height: 128 });
  });

  test('records the seed that was drawn for it', async () => {
    const seeds = new Set<unknown>();
    for (let count = 0; count < 2; count++) {
      const request = generate({ steps: 1 });
      await client.accept(request);
      const last = (await listener.untilOver(request.id)).at(-1)!;
      const workflow = await recorded(String(last['image_path']));
      seeds.add(
        readFileSync(String(last['image_path']))
          .toString('latin1')
          .match(/"seed": (\d+)/)![1],
      );
      expect(Object.values(workflow).map(({ inputs }) => inputs['ckpt_name'])).toContain(
        'sd15-tiny.safetensors',
      );
    }
    expect(seeds.size).toBe(2);
  });

  test('shows how it comes about', async () => {
    // Long enough for previews, which are at least a quarter of a second apart.
    const request = generate({ steps: 40, size: [128, 128] });
    await client.accept(request);
    const heard = await listener.untilOver(request.id);
    const previews = heard.filter(({ type }) => type === 'preview');
    expect(previews.length).toBeGreaterThan(0);
    for (const { image_path: path } of previews) {
      expect(await sharp(String(path)).metadata()).toMatchObject({ format: 'png', width: 256, height: 256 });
    }
  });
});

test('every message is of the types that strict clients expect', async () => {
  const request = generate({ steps: 20, size: [128, 128] });
  const reply = (message: object) => client.askRaw(Buffer.from(encode(message))).then(wireTypes);
  expect(await reply(request)).toEqual({
    type: 'str',
    job_id: 'str',
    estimated_time_s: expect.stringMatching(/float|uint/) as unknown,
  });
  expect(await reply({ type: 'ping' })).toEqual({ type: 'str' });
  expect(await reply({ type: 'nonsense' })).toEqual({ type: 'str', message: 'str' });
  expect(await reply({ type: 'cancel', job_id: 'none' })).toEqual({
    type: 'str',
    job_id: 'str',
    error: 'str',
  });
  expect(await reply({ type: 'status' })).toMatchObject({
    type: 'str',
    version: 'str',
    queue_size: 'uint',
    active_jobs: 'uint',
    uptime_s: 'uint',
  });
  const { models } = (await reply({ type: 'list_models' })) as { models: unknown[] };
  expect(models).toEqual(
    Array.from({ length: 3 }, () => ({ name: 'str', path: 'str', model_type: 'str', size_mb: 'uint' })),
  );

  await listener.untilOver(request.id);
  const number = expect.stringMatching(/^(float|uint)$/) as unknown;
  const expected: Record<string, unknown> = {
    job_started: { type: 'str', job_id: 'str', timestamp: 'uint' },
    progress: {
      type: 'str',
      job_id: 'str',
      stage: 'str',
      step: 'uint',
      total_steps: 'uint',
      percent: number,
      eta_s: number,
    },
    preview: { type: 'str', job_id: 'str', image_path: 'str', step: 'uint' },
    job_finished: { type: 'str', job_id: 'str', success: 'bool', duration_s: number },
    job_complete: {
      type: 'str',
      job_id: 'str',
      image_path: 'str',
      duration_s: number,
      // Beyond protocol 1.0.0.
      outputs: [{ node: 'str', file: 'str', type: 'str' }],
    },
  };
  listener.heard.forEach((message, index) => {
    if (message['job_id'] !== request.id) return;
    expect(wireTypes(listener.frames[index]!)).toEqual(expected[message.type]);
  });
});

test('models are listed by name', async () => {
  const { models } = await client.ask({ type: 'list_models' });
  expect(models).toEqual([
    {
      name: 'sd15-tiny-lora.safetensors',
      path: home.path('models/loras/sd15-tiny-lora.safetensors'),
      model_type: 'lora',
      size_mb: 0,
    },
    {
      name: 'sd15-tiny.safetensors',
      path: home.path('models/checkpoints/sd15-tiny.safetensors'),
      model_type: 'checkpoint',
      size_mb: 40,
    },
    {
      name: 'sdxl-tiny.safetensors',
      path: home.path('models/checkpoints/sdxl-tiny.safetensors'),
      model_type: 'checkpoint',
      size_mb: 63,
    },
  ]);
});

describe('several images', () => {
  test('a batch is as many pictures, each of its own seed', async () => {
    const request = generate({ batch_size: 3, seed: 41 });
    await client.accept(request);
    const heard = await listener.untilOver(request.id);
    expect(heard.at(-1)).toMatchObject({
      type: 'job_complete',
      image_path: home.path('output/batch_0_00001_.png'),
    });
    const seeds = [0, 1, 2].map((index) => {
      const picture = readFileSync(home.path(`output/batch_${index}_00001_.png`)).toString('latin1');
      return picture.match(/"seed": (\d+)/)![1];
    });
    expect(seeds).toEqual(['41', '42', '43']);
    expect(existsSync(home.path('output/batch_0_00002_.png'))).toBe(false);
    const stages = heard.filter(({ type }) => type === 'progress').map(({ stage }) => String(stage));
    expect([...new Set(stages)]).toEqual([...STAGES]);
    expect(heard.filter(({ stage }) => stage === 'decoding')).toHaveLength(1);
    expect(heard.findLast(({ type }) => type === 'progress')).toMatchObject({
      step: 9,
      total_steps: 9,
      percent: 100,
    });
  });

  test('an animation is frames, a sheet and a GIF', async () => {
    const request = generate({ animation_frames: 4, size: [64, 32], id: '../anim ä' });
    await client.accept(request);
    const last = (await listener.untilOver(request.id)).at(-1)!;
    const sheet = String(last['image_path']);
    expect(sheet).toMatch(/\/output\/animation____anim__[\da-f_]+_sheet\.png$/);
    expect(await sharp(sheet).metadata()).toMatchObject({ format: 'png', width: 256, height: 32 });
    expect(readFileSync(sheet).toString('latin1')).toMatch(/"seed": \d+/);
    const gif = await sharp(sheet.replace('_sheet.png', '.gif'), { animated: true }).metadata();
    expect(gif).toMatchObject({ format: 'gif', pages: 4, width: 64, pageHeight: 32 });
    for (let frame = 0; frame < 4; frame++) {
      expect(readFileSync(home.path(`output/animation_${frame}_00001_.png`)).toString('latin1')).toContain(
        `pixel art animation frame ${frame}, a knight`,
      );
    }
  });

  test('a tileset is a grid of tiles in one sheet', async () => {
    const request = generate({ tileset_grid: [3, 2], lora: 'sd15-tiny-lora', lora_strength: 0.5 });
    await client.accept(request);
    const last = (await listener.untilOver(request.id)).at(-1)!;
    const sheet = String(last['image_path']);
    expect(await sharp(sheet).metadata()).toMatchObject({ width: 192, height: 128 });
    // The second row begins with the fourth tile.
    const tile = await sharp(home.path('output/tileset_00004_.png')).raw().toBuffer();
    const corner = await sharp(sheet)
      .removeAlpha()
      .extract({ left: 0, top: 64, width: 64, height: 64 })
      .raw()
      .toBuffer();
    expect(corner.equals(tile)).toBe(true);
    expect(readFileSync(home.path('output/tileset_00004_.png')).toString('latin1')).toContain(
      '"strength_model": 0.5',
    );
  });
});

describe('requests that are turned away', () => {
  test.each([
    ['a path that leads out', { model: '../models/checkpoints/sd15-tiny' }, /^Model not found: \.\./],
    ['a path that leads out to a name that is there', { model: '../sd15-tiny' }, /^Model not found: \.\./],
    ['an absolute path', { model: '/etc/passwd' }, /^Model not found: \/etc\/passwd/],
    ['a LoRA that is not there', { lora: 'x' }, /^Model not found: x/],
    ['a size of nothing', { size: [0, 64] }, /^Invalid parameter: size: must be 16 to/],
    ['a size beyond all', { size: [64, 100_000] }, /^Invalid parameter: size/],
    ['a crooked size', { size: [65, 64] }, /^Invalid parameter: size: .*multiples of 8/],
    ['no steps', { steps: 0 }, /^Invalid parameter: steps/],
    ['endless steps', { steps: 2 ** 40 }, /^Invalid parameter: steps/],
    ['cfg that is no number', { cfg_scale: Number.NaN }, /^Invalid parameter: cfg_scale/],
    ['denoise over 1', { denoise: 1.5 }, /^Invalid parameter: denoise/],
    ['an endless batch', { batch_size: 4097 }, /^Invalid parameter: batch_size/],
    [
      'a sheet beyond all',
      { tileset_grid: [64, 64], size: [1024, 1024] },
      /^Invalid parameter: tileset_grid/,
    ],
    ['a long prompt', { prompt: 'x'.repeat(10_001) }, /^Invalid parameter: prompt: at most 10000/],
    ['no id', { id: '' }, /^Invalid parameter: id/],
    ['an unknown sampler', { sampler_name: 'eulr' }, /^Invalid parameter: sampler_name: .*"euler"/],
    ['an unknown scheduler', { scheduler: 'x' }, /^Invalid parameter: scheduler/],
    ['an unknown template', { workflow: '../x' }, /^Invalid parameter: workflow: there is no template/],
  ])('%s', async (_, values, error) => {
    const request = generate(values);
    expect(await client.ask(request)).toEqual({
      type: 'job_error',
      job_id: request.id,
      error: expect.stringMatching(error) as unknown,
    });
  });

  test('an id whose job waits or runs; when it is over, the id can be used again', async () => {
    const request = generate({ steps: 1 });
    await client.accept(request);
    expect(await client.ask(request)).toMatchObject({
      type: 'job_error',
      error: expect.stringMatching(/^Invalid parameter: id/) as unknown,
    });
    const first = (await listener.untilOver(request.id)).at(-1)!;
    listener.forget();
    await client.accept(request);
    const second = (await listener.untilOver(request.id)).at(-1)!;
    expect(second).toMatchObject({ type: 'job_complete' });
    expect(second['image_path']).not.toBe(first['image_path']);
    expect(await client.ask({ type: 'status', job_id: request.id })).toMatchObject({
      job: { job_id: request.id, state: 'completed', attempts: 1 },
    });
  });

  test('but not a model by the name that people call it', async () => {
    const request = generate({ model: 'SD15 Tiny', steps: 1 });
    await client.accept(request);
    const last = (await listener.untilOver(request.id)).at(-1)!;
    expect(readFileSync(String(last['image_path'])).toString('latin1')).toContain('sd15-tiny.safetensors');
  });

  test('prompts of 10 000 characters, counted as people count them', async () => {
    const request = generate({ prompt: '🗡'.repeat(10_000), steps: 1 });
    await client.accept(request);
    expect((await listener.untilOver(request.id)).at(-1)!.type).toBe('job_complete');
  });
});

test('a job has at most 30 updates a second, its shortest ones included', async () => {
  const times: number[] = [];
  const request = generate({ steps: 150, size: [64, 64] });
  const stop = listener.onMessage((message) => {
    if (message['job_id'] === request.id) times.push(performance.now());
  });
  await client.accept(request);
  await listener.untilOver(request.id);
  stop();
  const busiest = Math.max(
    ...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length),
  );
  expect(busiest).toBeLessThanOrEqual(30);
  expect(times.length).toBeGreaterThan(10);
});

test('the daemon has no inference in it', () => {
  const maps = readFileSync(join('/proc', String(daemon.pid), 'maps'), 'utf8');
  expect(maps).toMatch(/better_sqlite3\.node/);
  expect(maps).not.toMatch(/onnxruntime|sharp|vips/);
});
