import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSyntheticCheckpoint } from '../../support/synthetic.js';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, generate, type DaemonProcess } from '../../support/daemon-process.js';
import { factsOf, makeClip } from '../../video/clips.js';
import { compactManifest } from '../../video/compact.js';

let home: DaemonHome;
let daemon: DaemonProcess;

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  mkdirSync(home.path('input'));
  mkdirSync(home.path('models/upscale_models'));
  makeClip(home.path('input/film.mp4'), 1, '64x48');
  writeSyntheticCheckpoint(compactManifest(2, 8, 1), home.path('models/upscale_models/compact.safetensors'));
  daemon = await home.start();
});
afterAll(async () => {
  await daemon.stop('SIGKILL');
  home.remove();
});

test('a film is a job as any other, with its progress, and its path is the answer', async () => {
  const load = {
    force_rate: 0,
    custom_width: 0,
    custom_height: 0,
    frame_load_cap: 0,
    skip_first_frames: 0,
    select_every_nth: 1,
  };
  const save = {
    frame_rate: 30,
    loop_count: 0,
    filename_prefix: 'film',
    format: 'video/h264-mp4',
    pingpong: false,
    save_output: true,
  };
  const workflow = {
    1: { class_type: 'VHS_LoadVideo', inputs: { video: 'film.mp4', ...load } },
    2: { class_type: 'UpscaleModelLoader', inputs: { model_name: 'compact.safetensors' } },
    3: { class_type: 'ImageUpscaleWithModel', inputs: { upscale_model: ['2', 0], image: ['1', 0] } },
    4: { class_type: 'VHS_VideoCombine', inputs: { images: ['3', 0], audio: ['1', 2], ...save } },
  };
  const client = daemon.client();
  const listener = await daemon.listen();
  const request = generate({ workflow, model: '', prompt: '' });
  await client.accept(request);
  const updates = await listener.untilOver(request.id);
  const last = updates.at(-1) as unknown as { type: string; image_path: string };
  expect(last).toMatchObject({ type: 'job_complete' });
  expect(last.image_path).toBe(home.path('output/film_00001-audio.mp4'));
  expect(factsOf(last.image_path).streams[0]).toMatchObject({ width: 128, height: 96, nb_frames: '30' });
  const percents = updates.flatMap((update) => ('percent' in update ? [Number(update.percent)] : []));
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  expect(percents.filter((percent) => percent > 15 && percent < 95).length).toBeGreaterThan(2);
  client.close();
  listener.close();
});
