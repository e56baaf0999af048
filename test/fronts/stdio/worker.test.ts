/** Hosts of `latentd worker --stdio`: one worker, with tiny models, for all of them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCli, MAIN } from '../../cli/latentd.js';
import { DaemonHome, isAlive } from '../../support/daemon-process.js';
import { fixture } from '../../support/golden.js';

type Line = Readonly<Record<string, unknown>>;
interface Drawn {
  readonly images: readonly string[];
  readonly seed_used: number;
  readonly width: number;
  readonly height: number;
}

/** A host and its worker. Every line that it writes has to be an object. */
class Host {
  readonly lines: Line[] = [];
  readonly child: ChildProcess;
  private readonly wakers = new Set<() => void>();
  private asked = 0;

  constructor(folder: string, ...args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, 'worker', '--stdio', ...args], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    createInterface(this.child.stdout!).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      for (const wake of this.wakers) wake();
    });
  }

  write(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  async until(accepts: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(accepts);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.wakers.add(resolve));
    }
  }

  /** In the first shape; its answer. */
  async ask(method: string, parameters: object = {}, more: object = {}): Promise<Line> {
    const request_id = `r${++this.asked}`;
    this.write(JSON.stringify({ worker_type: 'sdxl_worker', method, parameters, request_id, ...more }));
    return this.until((line) => line['request_id'] === request_id && 'success' in line);
  }

  async draw(method: string, parameters: object): Promise<Drawn> {
    const reply = await this.ask(method, parameters);
    expect(reply).toMatchObject({ success: true, error: null });
    return reply['data'] as Drawn;
  }
}

let home: DaemonHome;
let host: Host;

const small = {
  model_id: 'sd15-tiny',
  prompt: 'a knight',
  width: 64,
  height: 64,
  num_inference_steps: 3,
  seed: 7,
};
const raw = (path: string) => sharp(path).removeAlpha().raw().toBuffer();
const promptOf = async (path: string) => {
  const text = (await sharp(path).metadata()).comments!.find(({ keyword }) => keyword === 'prompt')!.text;
  return Object.values(JSON.parse(text) as Record<string, { class_type: string; inputs: Line }>);
};
const nodesOf = async (path: string, type: string) =>
  (await promptOf(path)).filter(({ class_type }) => class_type === type).map(({ inputs }) => inputs);

beforeAll(() => {
  buildCli();
  home = new DaemonHome();
  host = new Host(home.folder);
});
afterAll(() => {
  host.child.kill('SIGKILL');
  home.remove();
});

describe('pictures', () => {
  test('are what the same workflow of ComfyUI draws', async () => {
    const drawn = await host.draw('text2img', { ...small, scheduler: 'EulerAncestralDiscreteScheduler' });
    expect(drawn).toMatchObject({ seed_used: 7, width: 64, height: 64 });
    const workflow = {
      1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd15-tiny.safetensors' } },
      2: { class_type: 'CLIPTextEncode', inputs: { clip: ['1', 1], text: 'a knight' } },
      3: { class_type: 'CLIPTextEncode', inputs: { clip: ['1', 1], text: '' } },
      4: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
      5: {
        class_type: 'KSampler',
        inputs: {
          model: ['1', 0],
          positive: ['2', 0],
          negative: ['3', 0],
          latent_image: ['4', 0],
          seed: 7,
          steps: 3,
          cfg: 7.5,
          sampler_name: 'euler_ancestral',
          scheduler: 'normal',
          denoise: 1,
        },
      },
      6: { class_type: 'VAEDecode', inputs: { samples: ['5', 0], vae: ['1', 2] } },
      7: { class_type: 'SaveImage', inputs: { images: ['6', 0], filename_prefix: 'own' } },
    };
    const own = await host.draw('workflow', { workflow });
    expect((await raw(drawn.images[0]!)).equals(await raw(own.images[0]!))).toBe(true);
  });

  test('of the schema in groups and in camel case are those of the flat form', async () => {
    const flat = await host.draw('text2img', {
      ...small,
      scheduler: { type: 'DPMSolverMultistepScheduler', use_karras_sigmas: true },
      lora: {
        enabled: true,
        adapters: [
          { model_id: 'sd15-tiny-lora', weight: 0.5 },
          { model_id: 'sd15-tiny-lora', weight: 0.25 },
        ],
      },
      num_images_per_prompt: 2,
    });
    host.write(
      JSON.stringify({
        workerType: 'pipeline_manager',
        command: 'execute',
        correlationId: 'c-1',
        data: {
          model: { base: 'sd15-tiny', refiner: null, vae: null },
          scheduler: { type: 'DPMSolverMultistepScheduler', steps: 3, useKarrasSigmas: true },
          hyperparameters: {
            guidanceScale: 7.5,
            seed: 7,
            height: 64,
            width: 64,
            batchSize: 2,
            negativePrompt: '',
          },
          conditioning: {
            prompt: 'a knight',
            loras: [
              { modelId: 'sd15-tiny-lora', weight: 0.5 },
              { modelId: 'sd15-tiny-lora', weight: 0.25 },
            ],
            controlNets: [],
          },
          performance: { dtype: 'fp16', device: 'cuda' },
          postprocessing: { safetyChecker: false, upscaler: null, autoContrast: false },
        },
      }),
    );
    const reply = await host.until(({ correlationId }) => correlationId === 'c-1');
    expect(reply).toMatchObject({ success: true, data: { seedUsed: 7 }, error: null });
    const { images, outputPath } = reply['data'] as { images: string[]; outputPath: string };
    expect(images).toHaveLength(2);
    expect(outputPath).toBe(images[0]);
    for (const [index, image] of images.entries()) {
      expect((await raw(image)).equals(await raw(flat.images[index]!))).toBe(true);
    }
    expect(await nodesOf(images[0]!, 'KSampler')).toMatchObject([
      { sampler_name: 'dpmpp_2m', scheduler: 'karras' },
    ]);
    expect((await nodesOf(images[0]!, 'LoraLoader')).map(({ strength_model }) => strength_model)).toEqual([
      0.5, 0.25,
    ]);
  });

  test('go on from pictures: by name of an earlier one, as base64, inside a mask', async () => {
    const first = await host.draw('text2img', small);
    const path = first.images[0]!;
    const bytes = readFileSync(path).toString('base64');
    const changes = { ...small, width: undefined, height: undefined, num_inference_steps: 4, strength: 0.5 };
    const byPath = await host.draw('img2img', { ...changes, image: path });
    const byBytes = await host.draw('img2img', { ...changes, init_image: bytes });
    expect((await raw(byPath.images[0]!)).equals(await raw(byBytes.images[0]!))).toBe(true);
    // diffusers' get_timesteps: the last trunc(4 * 0.5) of 4 steps.
    expect(await nodesOf(byPath.images[0]!, 'KSamplerAdvanced')).toMatchObject([
      { steps: 4, start_at_step: 2 },
    ]);
    const right = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'black' } })
      .composite([
        { input: { create: { width: 32, height: 64, channels: 3, background: 'white' } }, left: 32, top: 0 },
      ])
      .png()
      .toBuffer();
    const mask = `data:image/png;base64,${right.toString('base64')}`;
    const inpainted = await host.draw('inpaint', { ...changes, strength: 1, image: path, mask_image: mask });
    const [before, after] = [await raw(path), await raw(inpainted.images[0]!)];
    const differs = (from: number, to: number) => {
      for (let y = 0; y < 64; y++) {
        const row = (bytes: Buffer) => bytes.subarray((y * 64 + from) * 3, (y * 64 + to) * 3);
        if (!row(before).equals(row(after))) return true;
      }
      return false;
    };
    expect([differs(0, 32), differs(32, 64)]).toEqual([false, true]);
    const soft = await host.draw('inpaint', {
      ...changes,
      strength: 1,
      image: path,
      mask: mask,
      mask_blur: 4,
    });
    expect((await raw(soft.images[0]!)).equals(after)).toBe(false);
  });

  test('have stages: base and refiner, and one picture after another', async () => {
    const refined = await host.draw('text2img', {
      ...small,
      num_inference_steps: 5,
      model: { base: 'sd15-tiny', refiner: 'sd15-tiny' },
    });
    expect(await nodesOf(refined.images[0]!, 'KSamplerAdvanced')).toMatchObject([
      { start_at_step: 0, end_at_step: 4, add_noise: 'enable', return_with_leftover_noise: 'enable' },
      { start_at_step: 4, end_at_step: 5, add_noise: 'disable', return_with_leftover_noise: 'disable' },
    ]);
    const staged = await host.draw('generate', {
      ...small,
      stages: [
        { method: 'text2img' },
        { method: 'img2img', parameters: { strength: 0.7, width: 96, height: 96 } },
      ],
    });
    expect(staged).toMatchObject({ width: 96, height: 96 });
    expect(await sharp(staged.images[0]).metadata()).toMatchObject({ width: 96, height: 96 });
  });

  test('come in batches, of which each may fail on its own', async () => {
    const reply = await host.ask('batch', {
      ...small,
      requests: [{ prompt: 'a dragon' }, { method: 'text2img', parameters: { seed: 8 } }, { width: 65 }],
    });
    expect(reply['data']).toMatchObject({
      succeeded: 2,
      total: 3,
      results: [{}, {}, { error: expect.stringMatching(/^width: .*multiple of 8/) as string }],
    });
  });
});

test('what is drawn is looked at by the safety checker that is there, where that is asked for', async () => {
  const parameters = { ...small, postprocessing: { safety_checker: true } };
  expect(await host.ask('text2img', parameters)).toMatchObject({
    success: false,
    error: expect.stringMatching(/safety_checker: there is none in models\/safety_checker/) as string,
  });
  mkdirSync(home.path('models/safety_checker'));
  copyFileSync(
    fixture('safety-checker/model.safetensors'),
    home.path('models/safety_checker/model.safetensors'),
  );
  const reply = await host.ask('text2img', parameters);
  expect(reply).toMatchObject({ success: true, data: { nsfw_content_detected: [expect.any(Boolean)] } });
  const { images, nsfw_content_detected } = reply['data'] as Drawn & { nsfw_content_detected: boolean[] };
  const { channels } = await sharp(images[0]).stats();
  expect(channels.every(({ max }) => max === 0)).toBe(nsfw_content_detected[0]);
});

describe('the worker', () => {
  test('loads models, tells of them, and lets go', async () => {
    expect(await host.ask('load_model', { model_id: 'sd15-tiny' })).toMatchObject({
      data: { model_id: 'sd15-tiny.safetensors', model_size_bytes: expect.any(Number) as number },
    });
    expect((await host.ask('status'))['data']).toMatchObject({
      status: 'idle',
      devices: ['cpu'],
      loaded_models: ['sd15-tiny.safetensors'],
    });
    const unloaded = { unloaded: ['sd15-tiny.safetensors'] };
    expect((await host.ask('unload_model', { model_id: 'sd15-tiny' }))['data']).toEqual(unloaded);
    expect((await host.ask('unload_model', { model_id: 'sd15-tiny' }))['data']).toEqual({ unloaded: [] });
    expect(await host.ask('unload_model', { model_id: 'sd15-tinny' })).toMatchObject({ success: false });
    // The same engine loads it again.
    await host.ask('load_model', { model_id: 'sd15-tiny' });
    expect((await host.ask('cleanup_memory'))['data']).toEqual(unloaded);
    expect((await host.ask('status'))['data']).toMatchObject({ loaded_models: [] });
  });

  test('tells how far it is to who asks, and ends what is cancelled', async () => {
    const parameters = { ...small, width: 256, height: 256, num_inference_steps: 500 };
    host.write(
      JSON.stringify({ command: 'text2img', data: parameters, correlationId: 'long', progress: true }),
    );
    host.write(JSON.stringify({ command: 'text2img', data: parameters, correlationId: 'waits' }));
    const told = await host.until(
      ({ type, step, correlationId }) => type === 'progress' && correlationId === 'long' && Number(step) > 1,
    );
    expect(told).toMatchObject({ phase: 'sampling', totalSteps: 500 });
    expect(told).not.toHaveProperty('success');
    expect((await host.ask('status'))['data']).toMatchObject({ status: 'busy', running: 1, queued: 1 });
    expect((await host.ask('cancel', { request_id: 'waits' }))['data']).toEqual({ cancelled: 1 });
    expect((await host.ask('cancel'))['data']).toEqual({ cancelled: 1 });
    for (const id of ['waits', 'long']) {
      const reply = await host.until((line) => line['correlationId'] === id && 'success' in line);
      expect(reply).toMatchObject({ success: false, data: null, errorDetails: { code: 'cancelled' } });
    }
    expect(host.lines.some((line) => line['correlationId'] === 'waits' && line['type'] === 'progress')).toBe(
      false,
    );
  });

  test.each([
    [{ method: 'paint' }, 'unknown_method', /there is no method "paint"/],
    [
      { method: 'text2img', parameters: { prompt: 'x', model_id: 'sd15-tony' } },
      'model_not_found',
      /nearest: "sd15-tiny.safetensors"/,
    ],
    [
      { method: 'text2img', parameters: { ...small, scheduler: 'EulerScheduller' } },
      'invalid_request',
      /scheduler: .*nearest/,
    ],
    [
      { method: 'img2img', parameters: { ...small, image: '/etc/passwd' } },
      'file_not_found',
      /no file "\/etc\/passwd" in/,
    ],
    [
      { method: 'img2img', parameters: { ...small, image: 'http://example.com/a.png' } },
      'file_not_found',
      /not fetched/,
    ],
    [{ method: 'img2img', parameters: small }, 'invalid_request', /image: /],
    [
      { method: 'text2img', parameters: { ...small, postprocessing: { auto_contrast: true } } },
      'unsupported',
      /auto_contrast/,
    ],
    [{ parameters: {} }, 'invalid_request', /says what it wants/],
  ])('refuses %o', async (message, code, text) => {
    const id = `bad-${host.lines.length}`;
    host.write(JSON.stringify({ ...message, id }));
    const reply = await host.until((line) => line['id'] === id);
    expect(reply).toMatchObject({ success: false, data: null, error_details: { code } });
    expect(reply['error']).toMatch(text);
  });

  test('answers what is no JSON, and goes on', async () => {
    host.write('{"method": ');
    expect(await host.until(({ error }) => String(error).includes('one JSON object'))).toMatchObject({
      error_details: { code: 'invalid_json' },
    });
    expect(await host.ask('validate', { ...small, width: 63 })).toMatchObject({
      success: true,
      data: { valid: false },
    });
  });

  test('ends when its host is gone', async () => {
    // A host that starts a worker whose input stays open, and is killed.
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, [${JSON.stringify(MAIN)}, 'worker', '--stdio'], { stdio: [3, 'pipe', 'ignore'] });
      child.stdout.on('data', (line) => process.stdout.write(child.pid + '\\n'));`;
    const parent = spawn(process.execPath, ['-e', script], {
      cwd: home.folder,
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    (parent.stdio[3] as unknown as NodeJS.WritableStream).write('{"method": "status"}\n');
    const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(existsSync(`/proc/${pid}/cwd`)).toBe(false);
  });

  test('answers what was asked before its input ends, then ends, and leaves nothing', async () => {
    const answer = host.ask('text2img', small);
    host.child.stdin!.end();
    expect(await answer).toMatchObject({ success: true });
    if (host.child.exitCode === null) await once(host.child, 'exit');
    expect(host.child.exitCode).toBe(0);
    expect(
      readdirSync(tmpdir()).filter((name) => name.startsWith(`latentd-worker-${host.child.pid!}-`)),
    ).toEqual([]);
  });
});
