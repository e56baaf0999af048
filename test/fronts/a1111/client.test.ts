/** The npm client `stable-diffusion-api`, unchanged, against a daemon. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import sharp from 'sharp';
import { ControlNetUnit, StableDiffusionApi } from 'stable-diffusion-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPng } from '../../../src/imaging/png.js';
import { bytesOf } from '../../../src/workflow/embedded/bytes.js';
import { carriedTexts } from '../../../src/workflow/embedded/texts.js';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';
import { syntheticCheckpoint } from '../../support/golden.js';

let home: DaemonHome;
let daemon: DaemonProcess;
let api: StableDiffusionApi;

const SMALL = { width: 64, height: 64, steps: 3, seed: 11, sampler_name: 'Euler' };

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  mkdirSync(home.path('models/controlnet'));
  symlinkSync(
    syntheticCheckpoint('control/sd15-control'),
    home.path('models/controlnet/sd15-control.safetensors'),
  );
  mkdirSync(home.path('models/upscale_models'));
  symlinkSync(
    syntheticCheckpoint('upscale/compact-x4'),
    home.path('models/upscale_models/compact-x4.safetensors'),
  );
  daemon = await home.start('--http', '0', '--default-model', 'sd15-tiny.safetensors');
  api = new StableDiffusionApi({ baseUrl: daemon.httpAddress, timeout: 120_000 });
});
afterAll(async () => {
  await daemon.stop();
  home.remove();
});

const textsOf = (png: Buffer) => Object.fromEntries(carriedTexts(bytesOf(png))!.texts);

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly images?: readonly string[]; readonly info?: string };
}

async function post(path: string, body: unknown): Promise<Answer> {
  const reply = await fetch(`${daemon.httpAddress}/sdapi/v1/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: (await reply.json()) as Answer['body'] };
}

async function get(path: string): Promise<unknown> {
  return (await fetch(`${daemon.httpAddress}/sdapi/v1/${path}`)).json();
}

function infoOf({ body }: Answer) {
  return JSON.parse(String(body.info)) as Record<string, unknown> & { readonly infotexts: readonly string[] };
}

/** White in the middle of black, as a PNG. */
async function mask(width: number, height: number) {
  const square = { width: width / 2, height: height / 2, channels: 3, background: 'white' } as const;
  return sharp({ create: { width, height, channels: 3, background: 'black' } })
    .composite([{ input: await sharp({ create: square }).png().toBuffer() }])
    .png();
}

describe('txt2img', () => {
  test('gives pictures with their infotext, each of a seed of its own', async () => {
    const result = await api.txt2img({
      ...SMALL,
      prompt: 'a (red:1.2) knight',
      negative_prompt: 'x',
      batch_size: 2,
    });
    expect(result.images).toHaveLength(2);
    const pictures = await Promise.all(result.images.map((image) => image.metadata()));
    expect(pictures).toMatchObject([{ format: 'png', width: 64, height: 64 }, { width: 64 }]);
    const texts = pictures.map(
      ({ comments }) => comments?.find(({ keyword }) => keyword === 'parameters')?.text,
    );
    expect(texts[1]).toBe(
      'a (red:1.2) knight\nNegative prompt: x\n' +
        'Steps: 3, Sampler: Euler, Schedule type: Automatic, CFG scale: 7, Seed: 12, Size: 64x64, Model: sd15-tiny',
    );
    const info = JSON.parse(String(result.info)) as Record<string, unknown>;
    expect(info).toMatchObject({
      seed: 11,
      all_seeds: [11, 12],
      infotexts: texts,
      sd_model_name: 'sd15-tiny',
    });
    expect(result.parameters).toMatchObject({ steps: 3, batch_size: 2, sampler_name: 'Euler' });
  });

  test('the second picture of a batch is the first of its seed', async () => {
    const batch = await post('txt2img', { ...SMALL, batch_size: 2 });
    const single = await post('txt2img', { ...SMALL, seed: 12 });
    const pixels = (base64: string) => sharp(Buffer.from(base64, 'base64')).raw().toBuffer();
    const [first, second] = await Promise.all([
      pixels(batch.body.images![1]!),
      pixels(single.body.images![0]!),
    ]);
    expect(first.equals(second)).toBe(true);
  });

  test('keeps what it is told to keep, infotext included', async () => {
    const before = (await post('txt2img', { ...SMALL, prompt: 'kept', save_images: true })).body.images![0]!;
    const [name] = readdirSync(home.path('output/txt2img'));
    const saved = readFileSync(home.path(`output/txt2img/${name!}`));
    expect(isPng(saved)).toBe(true);
    expect(textsOf(saved)['parameters']).toMatch(/^kept\nSteps: 3/);
    expect(saved.toString('base64')).toBe(before);
    expect(Object.keys(textsOf(saved))).toContain('prompt');
  });

  test('LoRAs, changing prompts, prompts beside each other, the hires pass, another model', async () => {
    const answer = await post('txt2img', {
      ...SMALL,
      prompt: 'a [cat:dog:0.5] BREAK in oil AND a [red|blue] hat:0.7 <lora:sd15-tiny-lora:0.5>',
      enable_hr: true,
      hr_scale: 1.5,
      hr_upscaler: 'Lanczos',
      hr_second_pass_steps: 2,
      override_settings: { CLIP_stop_at_last_layers: 2 },
    });
    expect(answer.status).toBe(200);
    const picture = Buffer.from(answer.body.images![0]!, 'base64');
    expect(await sharp(picture).metadata()).toMatchObject({ width: 96, height: 96 });
    expect(textsOf(picture)['parameters']).toMatch(
      /Clip skip: 2, Hires upscale: 1.5, Hires steps: 2, Hires upscaler: Lanczos$/,
    );
    const other = await post('txt2img', {
      ...SMALL,
      override_settings: { sd_model_checkpoint: 'sdxl-tiny' },
    });
    expect(infoOf(other)['sd_model_name']).toBe('sdxl-tiny');
  });
});

describe('img2img', () => {
  test('draws over a picture', async () => {
    const result = await api.img2img({
      ...SMALL,
      init_images: [sharp({ create: { width: 90, height: 50, channels: 4, background: '#f00a' } })],
      resize_mode: 1,
      denoising_strength: 0.4,
    });
    expect(await result.image.metadata()).toMatchObject({ width: 64, height: 64 });
    expect(result.parameters).toMatchObject({ init_images: null, denoising_strength: 0.4 });
  });

  test.each([0, 1, 2, 3])('changes what is masked alone, filled in way %i', async (inpainting_fill) => {
    const red = { r: 200, g: 30, b: 20 };
    const result = await api.img2img({
      ...SMALL,
      init_images: [sharp({ create: { width: 96, height: 80, channels: 3, background: red } })],
      mask_image: await mask(96, 80),
      mask_blur: 2,
      inpaint_full_res: 1,
      inpaint_full_res_padding: 4,
      inpainting_fill,
      denoising_strength: 0.9,
    });
    const { data, info } = await result.image.raw().toBuffer({ resolveWithObject: true });
    // Only what is masked is drawn, so the picture keeps its size.
    expect(info).toMatchObject({ width: 96, height: 80 });
    expect([...data.subarray(0, 3)]).toEqual([200, 30, 20]);
    const middle = (40 * 96 + 48) * info.channels;
    expect([...data.subarray(middle, middle + 3)]).not.toEqual([200, 30, 20]);
  });

  test('several pictures are a batch', async () => {
    const encoded = await Promise.all(
      ['red', 'blue'].map(async (background) =>
        (
          await sharp({ create: { width: 64, height: 64, channels: 3, background } })
            .png()
            .toBuffer()
        ).toString('base64'),
      ),
    );
    const { body } = await post('img2img', {
      ...SMALL,
      init_images: encoded,
      batch_size: 2,
      denoising_strength: 0.1,
    });
    const means = await Promise.all(
      body.images!.map(async (each) =>
        (await sharp(Buffer.from(each, 'base64')).stats()).channels.map(({ mean }) => mean),
      ),
    );
    expect(means).toHaveLength(2);
    expect(means[0]).not.toEqual(means[1]);
  });
});

describe('ControlNet', () => {
  const edges = () => sharp({ create: { width: 64, height: 64, channels: 3, background: '#fff' } });
  const unit = (more: object) =>
    new ControlNetUnit({ input_image: edges(), module: 'none', model: 'sd15-control', ...more });

  test('steers what is drawn', async () => {
    expect(await api.ControlNet.getModels()).toEqual(['sd15-control']);
    expect(await api.ControlNet.getModules()).toContain('none');
    const draw = async (units: ControlNetUnit[]) => {
      const { image } = await api.txt2img({ ...SMALL, controlnet_units: units });
      return image.raw().toBuffer();
    };
    const plain = await draw([]);
    expect((await draw([unit({ weight: 0 })])).equals(plain)).toBe(true);
    expect((await draw([unit({ weight: 1 })])).equals(plain)).toBe(false);
  });

  test.each([
    ['a model that is not there', { model: 'gone' }, 404],
    ['a preprocessor that is a network', { module: 'depth' }, 422],
  ])('%s is refused', async (_, more, status) => {
    const refused = api.txt2img({ ...SMALL, controlnet_units: [unit(more)] });
    await expect(refused).rejects.toMatchObject({ response: { status } });
  });
});

describe('pictures that are there already', () => {
  const image = () => sharp({ create: { width: 20, height: 10, channels: 3, background: 'teal' } });

  test('are enlarged', async () => {
    const result = await api.extraSingle({ image: image(), upscaler_1: 'Lanczos', upscaling_resize: 3 });
    expect(await result.image.metadata()).toMatchObject({ width: 60, height: 30 });
    const batch = await api.extraBatch({
      image: image(),
      images: [image(), image()],
      name_list: ['a', 'b'],
      upscaler_1: 'Nearest',
      resize_mode: 1,
      upscaling_resize_w: 40,
      upscaling_resize_h: 40,
    });
    const sizes = await Promise.all(batch.images.map((each) => each.metadata()));
    expect(sizes).toMatchObject([
      { width: 40, height: 40 },
      { width: 40, height: 40 },
    ]);
  });

  test('are enlarged by a network, to the size that is asked for, and mixed with another', async () => {
    const result = await api.extraSingle({
      image: image(),
      upscaler_1: 'compact-x4',
      upscaler_2: 'Lanczos',
      extras_upscaler_2_visibility: 0.5,
      upscaling_resize: 2.5,
    });
    expect(await result.image.metadata()).toMatchObject({ width: 50, height: 25 });
  });

  test('a network enlarges between the passes, too', async () => {
    const request = {
      ...SMALL,
      enable_hr: true,
      hr_scale: 1.5,
      hr_upscaler: 'compact-x4',
      hr_second_pass_steps: 1,
    };
    const { image: drawn } = await api.txt2img(request);
    expect(await drawn.metadata()).toMatchObject({ width: 96, height: 96 });
  });

  test('say how they came about', async () => {
    const { body } = await post('txt2img', { ...SMALL, prompt: 'ask me' });
    const reply = await post('png-info', { image: `data:image/png;base64,${body.images![0]!}` });
    expect(reply.body).toMatchObject({
      info: infoOf({ status: 200, body }).infotexts[0],
      parameters: { Prompt: 'ask me', Steps: '3', Sampler: 'Euler', 'Size-1': '64' },
      items: { prompt: expect.stringContaining('KSampler') as unknown },
    });
  });
});

describe('what runs', () => {
  test('can be watched and interrupted', async () => {
    const drawing = post('txt2img', { ...SMALL, steps: 900, width: 128, height: 128, n_iter: 3 });
    let seen = await api.getProgress(false);
    // Its types say that there is always one.
    while ((seen.current_image as string | null) === null) seen = await api.getProgress(false);
    expect(seen.state).toMatchObject({
      job: 'txt2img',
      job_count: 3,
      sampling_steps: 900,
      interrupted: false,
    });
    expect(seen.progress).toBeGreaterThan(0);
    const preview = sharp(Buffer.from(seen.current_image, 'base64'));
    expect((await preview.metadata()).format).toBe('png');
    expect((await api.getProgress(true)).current_image).toBeNull();
    await post('interrupt', {});
    const { status, body } = await drawing;
    expect([status, body.images!.length < 3]).toEqual([200, true]);
    expect(await api.getProgress()).toMatchObject({ progress: 0, state: { job_count: 0 } });
  });
});

describe('options and lists', () => {
  test('options are kept', async () => {
    expect(await api.getCurrentModel()).toBe('sd15-tiny.safetensors');
    await api.setOptions({ sd_model_checkpoint: 'sdxl-tiny.safetensors [0123abcd]', made_up: 1 });
    expect(await api.getOptions()).toMatchObject({
      sd_model_checkpoint: expect.stringContaining('sdxl-tiny') as unknown,
      made_up: 1,
    });
    expect(infoOf(await post('txt2img', SMALL))['sd_model_name']).toBe('sdxl-tiny');
    const stopped = await daemon.stop();
    daemon = await home.start('--http', '0');
    api = new StableDiffusionApi({ baseUrl: daemon.httpAddress, timeout: 120_000 });
    expect(stopped).toBe(0);
    expect(await api.getCurrentModel()).toContain('sdxl-tiny');
  });

  test('what there is', async () => {
    const samplers = await api.getSamplers();
    expect(samplers.map(({ name }) => name)).toContain('DPM++ 2M SDE');
    expect(await api.getSdModels()).toMatchObject([
      {
        title: 'sd15-tiny.safetensors',
        model_name: 'sd15-tiny',
        filename: home.path('models/checkpoints/sd15-tiny.safetensors'),
      },
      { model_name: 'sdxl-tiny' },
    ]);
    expect((await api.getUpscalers()).map(({ name }) => name)).toEqual([
      'None',
      'Lanczos',
      'Nearest',
      'compact-x4',
    ]);
    expect((await api.getFaceRestorers()).map(({ name }) => name)).toEqual(['CodeFormer', 'GFPGAN']);
    expect(
      await Promise.all([api.getHypernetworks(), api.getRealesrganModels(), api.getPromptStyles()]),
    ).toEqual([[], [], []]);
    expect(await api.getCmdFlags()).toMatchObject({ api: true });
    await api.refreshCheckpoints();
    expect(await get('loras')).toMatchObject([{ name: 'sd15-tiny-lora' }]);
    expect(await get('scripts')).toEqual({ txt2img: [], img2img: [] });
    for (const name of [
      'schedulers',
      'latent-upscale-modes',
      'sd-vae',
      'embeddings',
      'memory',
      'script-info',
    ]) {
      expect(await get(name)).toBeDefined();
    }
  });
});

describe('requests that can not be done', () => {
  test.each([
    ['txt2img', { steps: 'many' }, 422, /"loc":\["body","steps"\]/],
    ['txt2img', { sampler_name: 'None such' }, 400, /Sampler not found/],
    ['txt2img', { override_settings: { sd_model_checkpoint: 'gone' } }, 404, /Model not found: ."gone/],
    ['txt2img', { prompt: '<lora:gone:1>' }, 422, /there is no LoRA/],
    ['txt2img', { prompt: 'a AND '.repeat(3000) }, 422, /the prompt has too many parts/],
    ['txt2img', [], 422, /must be a JSON object/],
    ['img2img', {}, 404, /Init image not found/],
    ['img2img', { init_images: ['http://127.0.0.1/x.png'] }, 500, /Requests not allowed/],
    ['img2img', { init_images: ['bm90IGFuIGltYWdl'] }, 500, /Invalid encoded image/],
    ['options', { sd_model_checkpoint: 'gone' }, 500, /not found/],
    ['interrogate', { image: '' }, 501, /not described here/],
    ['train/embedding', {}, 501, /nothing is trained here/],
  ])('%s %j is %i', async (path, body, status, message) => {
    const answer = await post(path, body);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.stringMatching(message)]);
  });
});
