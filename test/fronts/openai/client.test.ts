/** The npm client `openai`, unchanged, against a daemon. */
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeSize } from '../../../src/fronts/native-size.js';
import { createFolders } from '../../../src/models/folders/folders.js';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';

let home: DaemonHome;
let daemon: DaemonProcess;
let client: OpenAI;

/** What OpenAI's types don't know: sizes and fields of latentd's own. */
type Generation = OpenAI.Images.ImageGenerateParamsNonStreaming;
type Edit = OpenAI.Images.ImageEditParamsNonStreaming;
const small = (more: object) =>
  ({ prompt: 'a knight', size: '64x64', steps: 2, seed: 5, ...more }) as Generation;

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  daemon = await home.start('--http', '0', '--default-model', 'sd15-tiny.safetensors');
  client = new OpenAI({ apiKey: 'none', baseURL: `${daemon.httpAddress}/v1`, maxRetries: 0 });
});
afterAll(async () => {
  await daemon.stop();
  home.remove();
});

const bytesOf = (image: OpenAI.Image | undefined) => Buffer.from(image?.b64_json ?? '', 'base64');

describe('generations', () => {
  test('are base64, each of a seed of its own', async () => {
    const result = await client.images.generate(small({ model: 'sd15-tiny', n: 2 }));
    const pictures = result.data!.map(bytesOf);
    expect(await Promise.all(pictures.map((bytes) => sharp(bytes).metadata()))).toMatchObject([
      { format: 'png', width: 64, height: 64 },
      { format: 'png' },
    ]);
    expect(pictures[0]!.equals(pictures[1]!)).toBe(false);
    expect(result).toMatchObject({ size: '64x64', output_format: 'png', background: 'opaque' });
    const [again] = (await client.images.generate(small({ seed: 6 }))).data!;
    const raw = (bytes: Buffer) => sharp(bytes).raw().toBuffer();
    expect((await raw(bytesOf(again))).equals(await raw(pictures[1]!))).toBe(true);
  });

  test('are addresses for models that give these, and where they are asked for', async () => {
    for (const asks of [{ model: 'dall-e-3' }, { response_format: 'url', output_format: 'webp' }]) {
      const [image] = (await client.images.generate(small(asks))).data!;
      const reply = await fetch(image!.url!);
      const format = 'output_format' in asks ? 'webp' : 'png';
      expect(reply.headers.get('content-type')).toBe(`image/${format}`);
      expect((await sharp(await reply.arrayBuffer()).metadata()).format).toBe(format);
    }
  });

  test('come in the format that is asked for', async () => {
    const [image] = (await client.images.generate(small({ output_format: 'jpeg', output_compression: 60 })))
      .data!;
    expect((await sharp(bytesOf(image)).metadata()).format).toBe('jpeg');
  });

  test('have the size that a model draws best where none is said', async () => {
    const folders = createFolders({
      models: home.path('models'),
      input: home.path('input'),
      output: home.path('output'),
      temp: home.path('temp'),
    });
    expect(await nativeSize(folders, 'sd15-tiny.safetensors')).toEqual({ width: 512, height: 512 });
    expect(await nativeSize(folders, 'sdxl-tiny.safetensors')).toEqual({ width: 1024, height: 1024 });
  });

  test('are shown on the way', async () => {
    const events = await client.images.generate({
      ...small({ steps: 100, size: '128x128', partial_images: 2 }),
      stream: true,
    });
    const seen: OpenAI.Images.ImageGenStreamEvent[] = [];
    for await (const event of events) seen.push(event);
    expect(seen.map(({ type }) => type)).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ]);
    expect(seen[1]).toMatchObject({ partial_image_index: 1 });
    const pictures = await Promise.all(seen.map((event) => sharp(bytesOf(event)).metadata()));
    expect(pictures.at(-1)).toMatchObject({ width: 128, height: 128 });
    expect(pictures[0]!.format).toBe('png');
  });
});

describe('edits', () => {
  const red = { r: 220, g: 20, b: 20 };
  const picture = () =>
    sharp({ create: { width: 64, height: 64, channels: 3, background: red } })
      .png()
      .toBuffer();
  /** Transparent in its left half. */
  const mask = async () => {
    const half = { create: { width: 32, height: 64, channels: 4, background: '#000f' } } as const;
    return sharp({ create: { width: 64, height: 64, channels: 4, background: '#0000' } })
      .composite([{ input: await sharp(half).png().toBuffer(), left: 32, top: 0 }])
      .png()
      .toBuffer();
  };
  const file = async (bytes: Promise<Buffer>, name: string) =>
    toFile(await bytes, name, { type: 'image/png' });

  test('change what is transparent in the mask alone', async () => {
    const result = await client.images.edit({
      image: await file(picture(), 'a.png'),
      mask: await file(mask(), 'm.png'),
      ...small({}),
    } as Edit);
    const { data, info } = await sharp(bytesOf(result.data![0])).raw().toBuffer({ resolveWithObject: true });
    const at = (x: number) => [
      ...data.subarray((32 * 64 + x) * info.channels, (32 * 64 + x) * info.channels + 3),
    ];
    expect(at(60)).toEqual([220, 20, 20]);
    expect(at(4)).not.toEqual([220, 20, 20]);
  });

  test('change a picture as a whole, streamed, at its own size', async () => {
    const events = await client.images.edit({
      image: [await file(picture(), 'a.png')],
      prompt: 'a knight',
      steps: 2,
      stream: true,
    } as unknown as OpenAI.Images.ImageEditParamsStreaming);
    const seen: OpenAI.Images.ImageEditStreamEvent[] = [];
    for await (const event of events) seen.push(event);
    expect(seen.map(({ type }) => type)).toEqual(['image_edit.completed']);
    expect(await sharp(bytesOf(seen[0])).metadata()).toMatchObject({ width: 64, height: 64 });
  });

  test.each([
    ['no picture', { image: 'x' }, /Missing required parameter: 'image'/],
    ['a mask without transparency', { mask: true }, /Invalid mask image/],
  ])('with %s are refused', async (_, wrong, message) => {
    const form = new FormData();
    form.set('prompt', 'x');
    if ('image' in wrong) form.set('note', wrong.image);
    else {
      form.set('image', new Blob([new Uint8Array(await picture())]), 'a.png');
      form.set('mask', new Blob([new Uint8Array(await picture())]), 'm.png');
    }
    const reply = await fetch(`${daemon.httpAddress}/v1/images/edits`, { method: 'POST', body: form });
    const { error } = (await reply.json()) as { readonly error: { readonly message: string } };
    expect([reply.status, error.message]).toEqual([400, expect.stringMatching(message)]);
  });
});

test('models are the checkpoints', async () => {
  const { data } = await client.models.list();
  expect(data).toMatchObject([
    { id: 'sd15-tiny', object: 'model', owned_by: 'latentd' },
    { id: 'sdxl-tiny', object: 'model' },
  ]);
  expect(await client.models.retrieve('sdxl-tiny')).toEqual(data[1]);
});

test.each([
  [{ model: 'sd15-tony' }, 404, 'model_not_found', /The model 'sd15-tony' does not exist.*sd15-tiny/],
  [{ size: '65x64' }, 400, 'invalid_value', /Invalid value: '65x64'/],
  [{ n: 11 }, 400, 'invalid_value', /Invalid value for 'n'/],
  [{ prompt: '' }, 400, 'invalid_value', /Invalid value for 'prompt'/],
  [{ background: 'transparent' }, 400, null, /background/],
])('%j is refused as OpenAI would', async (wrong, status, code, message) => {
  const refused = client.images.generate(small(wrong));
  await expect(refused).rejects.toMatchObject({
    status,
    code,
    message: expect.stringMatching(message) as unknown,
  });
});

test('a picture that is not there, and what is no address of one', async () => {
  for (const path of ['none/0.png', 'none/x.png', `${'0'.repeat(36)}/0.png`]) {
    expect((await fetch(`${daemon.httpAddress}/v1/images/files/${path}`)).status).toBe(404);
  }
});

test('a client that goes away takes its job with it', async () => {
  const listener = await daemon.listen();
  const started = new Promise<void>((resolve) => {
    listener.onMessage(({ type }) => {
      if (type === 'job_started') resolve();
    });
  });
  const gone = new AbortController();
  const drawing = client.images.generate(small({ steps: 1000 }), { signal: gone.signal });
  const refused = expect(drawing).rejects.toThrow(/aborted/);
  await started;
  const from = daemon.log.length;
  gone.abort();
  await refused;
  expect(await daemon.logged('job over', from)).toMatchObject({ state: 'cancelled' });
  listener.close();
});
