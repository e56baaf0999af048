/** Workflows that clients give, by name or whole. */
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import {
  DaemonHome,
  generate,
  type Client,
  type DaemonProcess,
  type Listener,
} from '../../support/daemon-process.js';

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

describe('workflows', () => {
  const own = (checkpoint: string) => ({
    1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: checkpoint } },
    2: { class_type: 'CLIPTextEncode', inputs: { text: 'as it is', clip: ['1', 1] } },
    3: { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 512, batch_size: 1 } },
    4: {
      class_type: 'KSampler',
      inputs: {
        seed: 5,
        steps: 30,
        cfg: 1,
        sampler_name: 'euler',
        scheduler: 'normal',
        denoise: 1,
        model: ['1', 0],
        positive: ['2', 0],
        negative: ['2', 0],
        latent_image: ['3', 0],
      },
    },
    5: { class_type: 'VAEDecode', inputs: { samples: ['4', 0], vae: ['1', 2] } },
    6: { class_type: 'SaveImage', inputs: { filename_prefix: 'own', images: ['5', 0] } },
  });

  test('of the client are run with the values of the request', async () => {
    const request = generate({
      workflow: own('gone.safetensors'),
      model: 'sdxl-tiny',
      sampler_name: 'dpmpp_2m',
      scheduler: 'karras',
      seed: 2n ** 64n - 1n,
    });
    await client.accept(request);
    const last = (await listener.untilOver(request.id)).at(-1)!;
    const path = String(last['image_path']);
    expect(await sharp(path).metadata()).toMatchObject({ width: 64, height: 64 });
    const text = readFileSync(path).toString('latin1');
    for (const part of ['"seed": 18446744073709551615', '"steps": 3', 'sdxl-tiny', 'dpmpp_2m', 'karras']) {
      expect(text).toContain(part);
    }
  });

  test('keep their model and prompt where the request leaves them empty', async () => {
    const request = generate({ workflow: own('sd15-tiny.safetensors'), model: '', prompt: '' });
    await client.accept(request);
    const last = (await listener.untilOver(request.id)).at(-1)!;
    expect(readFileSync(String(last['image_path'])).toString('latin1')).toContain('as it is');
  });

  test('that can not run are turned away with all that is wrong, as ComfyUI says it', async () => {
    const workflow = {
      ...own('gone.safetensors'),
      3: { class_type: 'EmptyLatentImage', inputs: { width: 0, height: 512, batch_size: 1 } },
      5: { class_type: 'VAEDecodes', inputs: { samples: ['4', 0], vae: ['1', 2] } },
    };
    const request = { type: 'generate', id: 'faulty', workflow };
    const reply = await client.ask(request);
    expect(reply).toMatchObject({ type: 'job_error', job_id: 'faulty' });
    expect(reply['error']).toMatch(/^Invalid parameter: workflow: The workflow has 3 faults:.*VAEDecodes/s);
    expect(reply['workflow_error']).toMatchObject({
      error: { type: 'missing_node_type' },
      node_errors: {
        1: { class_type: 'CheckpointLoaderSimple', errors: [{ type: 'value_not_in_list' }] },
        3: { dependent_outputs: ['6'], errors: [{ type: 'value_smaller_than_min' }] },
        5: { dependent_outputs: ['6'], errors: [{ type: 'missing_node_type' }] },
      },
    });
    expect((await client.ask({ type: 'status', job_id: 'faulty' }))['job']).toBeUndefined();
    // The id is free.
    await client.accept({ ...request, workflow: own('sd15-tiny.safetensors'), size: [64, 64], steps: 1 });
    await listener.untilOver('faulty');
  });

  test('that can not run are told in texts that a terminal can show', async () => {
    const hostile = '\u001b]0;mine\u0007\nX';
    const workflow = { ...own('sd15-tiny.safetensors'), 5: { class_type: hostile, inputs: {} } };
    const reply = await client.ask({ type: 'generate', id: 'hostile', workflow });
    expect(reply['workflow_error']).toMatchObject({
      node_errors: { 5: { class_type: '\\x1b]0;mine\\x07\\nX' } },
    });
    expect(JSON.stringify(reply)).not.toMatch(/\\u001b|\\u0007/);
  });

  test.each<[form: string, of: (workflow: object) => unknown]>([
    ['a map', (workflow) => workflow],
    ['JSON text', (workflow) => JSON.stringify(workflow)],
  ])('of the client as %s are run as they are', async (form, of) => {
    const workflow = own('sd15-tiny.safetensors');
    const latent = { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 128, batch_size: 1 } };
    const more = { class_type: 'PreviewImage', inputs: { images: ['5', 0] } };
    const id = `verbatim ${form}`;
    const asIs = { ...workflow, 3: latent, 7: more };
    await client.accept({ type: 'generate', id, workflow: of(asIs) });
    const last = (await listener.untilOver(id)).at(-1)!;
    const path = String(last['image_path']);
    expect(await sharp(path).metadata()).toMatchObject({ width: 64, height: 128 });
    expect(await recorded(path)).toEqual(asIs);
    const { outputs } = last as unknown as { outputs: { node: string; file: string; type: string }[] };
    expect(outputs).toEqual([
      { node: '6', file: path, type: 'output' },
      { node: '7', file: expect.stringMatching(/^\//) as unknown, type: 'temp' },
    ]);
    expect((await client.ask({ type: 'status', job_id: id }))['job']).toMatchObject({ outputs });
  });

  test('of clients that can not leave fields out are run as they are, too', async () => {
    const workflow = {
      ...own('sd15-tiny.safetensors'),
      3: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
    };
    const nothing = {
      prompt: '',
      model: '',
      size: [0, 0],
      steps: 0,
      cfg_scale: 0,
      lora: '',
      negative_prompt: '',
    };
    const zeros = { batch_size: 0, animation_frames: 0, tileset_grid: [], sampler_name: '', scheduler: null };
    await client.accept({ type: 'generate', id: 'empties', workflow, ...nothing, ...zeros });
    const last = (await listener.untilOver('empties')).at(-1)!;
    expect(await recorded(String(last['image_path']))).toEqual(workflow);
  });

  test('without a picture end with what they made', async () => {
    const nodes = Object.entries(own('sd15-tiny.safetensors')).filter(([id]) => id !== '6');
    const sampling = Object.fromEntries(nodes);
    const small = { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } };
    const save = { class_type: 'SaveLatent', inputs: { samples: ['4', 0], filename_prefix: 'kept' } };
    await client.accept({ type: 'generate', id: 'latent', workflow: { ...sampling, 3: small, 5: save } });
    const last = (await listener.untilOver('latent')).at(-1)!;
    expect(last).toMatchObject({ type: 'job_complete', image_path: home.path('output/kept_00001_.latent') });
  });

  describe("in the form of ComfyUI's editor", () => {
    const editor = (saver: string) => ({
      nodes: [
        {
          id: 1,
          type: 'EmptyImage',
          outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
          widgets_values: [8, 8, 1, 255],
        },
        {
          id: 5,
          type: 'Reroute',
          inputs: [{ name: '', type: '*', link: 1 }],
          outputs: [{ name: '', type: 'IMAGE' }],
        },
        {
          id: 2,
          type: saver,
          inputs: [{ name: 'images', type: 'IMAGE', link: 2 }],
          widgets_values: ['edited'],
        },
      ],
      links: [
        [1, 1, 0, 5, 0, 'IMAGE'],
        [2, 5, 0, 2, 0, 'IMAGE'],
      ],
      version: 0.4,
    });

    test('are read by the daemon, and go into the picture beside what ran', async () => {
      for (const [id, workflow] of Object.entries({
        map: editor('SaveImage'),
        text: JSON.stringify(editor('SaveImage')),
      })) {
        await client.accept({ type: 'generate', id, workflow });
        const path = String((await listener.untilOver(id)).at(-1)!['image_path']);
        expect((await recorded(path))['2']).toMatchObject({
          inputs: { filename_prefix: 'edited', images: ['1', 0] },
        });
        const { comments } = await sharp(path).metadata();
        const kept = comments?.find(({ keyword }) => keyword === 'workflow');
        expect(JSON.parse(kept?.text ?? '{}')).toEqual(editor('SaveImage'));
      }
    });

    test('are refused with all that is missing', async () => {
      const reply = await client.ask({ type: 'generate', id: 'lacking', workflow: editor('SaveImagePlus') });
      expect(reply).toMatchObject({ type: 'job_error', job_id: 'lacking' });
      expect(String(reply['error'])).toMatch(/node 2 \(SaveImagePlus\): Node 'SaveImagePlus' not found/);
    });
  });

  test('are templates by name', async () => {
    const request = generate({ workflow: 'tileset' });
    await client.accept(request);
    const last = (await listener.untilOver(request.id)).at(-1)!;
    expect(String(last['image_path'])).toMatch(/tileset_\d+_\.png$/);
  });
});
