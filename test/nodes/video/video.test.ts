import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/create-engine.js';
import type { Tensor } from '../../../src/compute/tensor.js';
import { loadSharp } from '../../../src/imaging/load-sharp.js';
import { defineNode, link } from '../../../src/nodes/definition.js';
import type { FilmInfo, Image, Latent } from '../../../src/nodes/values.js';
import { fixture } from '../../support/golden.js';
import { difference, factsOf, ffmpeg, framesOf, makeClip } from '../../video/clips.js';

const home = mkdtempSync(join(tmpdir(), 'latentd-video-nodes-'));
const input = join(home, 'input');
mkdirSync(input);
copyFileSync(fixture('video/clip.mp4'), join(input, 'clip.mp4'));

interface Seen {
  readonly images: Image | Latent;
  readonly info: FilmInfo;
  readonly sound: readonly [readonly number[], number] | undefined;
}
let seen: Seen | undefined;

/** Keeps what it is given. */
const look = defineNode({
  name: 'Look',
  displayName: 'Look',
  category: 'test',
  description: '',
  required: {
    images: link('IMAGE', { also: ['LATENT'] }),
    audio: link('AUDIO'),
    info: link('VHS_VIDEOINFO'),
  },
  optional: {},
  outputs: [],
  outputNode: true,
  async run({ images, audio, info }, { signal }) {
    const sound = await audio(signal);
    seen = { images, info, sound: sound && [sound.waveform.shape, sound.sampleRate] };
    return { outputs: [] };
  },
});

const engine = createEngine({
  folders: { input, output: join(home, 'output'), temp: join(home, 'temp'), models: join(home, 'models') },
  nodes: [look],
});
afterAll(async () => {
  await engine.dispose();
  rmSync(home, { recursive: true });
});

const everything = {
  force_rate: 0,
  custom_width: 0,
  custom_height: 0,
  frame_load_cap: 0,
  skip_first_frames: 0,
  select_every_nth: 1,
};

function loader(inputs: Readonly<Record<string, unknown>> = {}) {
  return { class_type: 'VHS_LoadVideo', inputs: { video: 'clip.mp4', ...everything, ...inputs } };
}

interface ReferenceCase {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly shape: readonly number[];
  readonly info: Readonly<Record<string, number>>;
  readonly means: readonly (readonly number[])[];
  readonly corners: readonly (readonly number[])[];
  readonly audio: readonly [readonly number[], number];
}

const reference = JSON.parse(
  readFileSync(fixture('video/load-video.json'), 'utf8'),
) as readonly ReferenceCase[];

async function load(inputs: Readonly<Record<string, unknown>>): Promise<Seen> {
  const workflow = {
    1: loader(inputs),
    2: { class_type: 'Look', inputs: { images: ['1', 0], audio: ['1', 2], info: ['1', 3] } },
  };
  const result = await engine.run(workflow);
  if (result.status !== 'success') throw new Error(JSON.stringify(result));
  return seen!;
}

describe('VHS_LoadVideo', () => {
  it.each(reference)('$inputs', async ({ inputs, shape, info, means, corners, audio }) => {
    const { images, info: own, sound } = await load(inputs);
    const { shape: ownShape, data } = images as Tensor;
    expect(ownShape).toEqual(shape);
    const [, height, width] = shape as readonly [number, number, number];
    means.forEach((mean, index) => {
      const frame = data.subarray(index * height * width * 3, (index + 1) * height * width * 3);
      mean.forEach((value, channel) => {
        const sum = frame.reduce((total, one, at) => (at % 3 === channel ? total + one : total), 0);
        // Colours of half the resolution are scaled up by whichever filter; frames differ by far more.
        expect(Math.abs(sum / (height * width) - value)).toBeLessThan(0.001);
        const corner = frame[(width + 1) * 3 + channel]!;
        expect(Math.abs(corner - corners[index]![channel]!)).toBeLessThan(0.01);
      });
    });
    for (const side of ['source', 'loaded'] as const) {
      const facts = own[side];
      expect(facts.fps).toBeCloseTo(info[`${side}_fps`]!, 9);
      expect(facts.frameCount).toBe(info[`${side}_frame_count`]);
      expect(facts.duration).toBeCloseTo(info[`${side}_duration`]!, 9);
      expect([facts.width, facts.height]).toEqual([info[`${side}_width`], info[`${side}_height`]]);
    }
    expect(sound).toEqual(audio);
  });

  it('reads nothing outside the input folder', async () => {
    makeClip(join(home, 'outside.mp4'), 0.1, '32x32');
    for (const video of ['../outside.mp4', join(home, 'outside.mp4')]) {
      const result = await engine.run({ 1: loader({ video }), 2: combiner({}) });
      expect(JSON.stringify(result)).toMatch(/leads out of the input folder/);
      const other = await engine.run({
        1: { ...loader({ video }), class_type: 'VHS_LoadVideoPath' },
        2: combiner({}),
      });
      expect(JSON.stringify(other)).toMatch(/leads out of the input folder/);
    }
    const inside = {
      ...loader({ video: ` "${join(input, 'clip.mp4')}" ` }),
      class_type: 'VHS_LoadVideoPath',
    };
    expect((await engine.run({ 1: inside, 2: combiner({}) })).status).toBe('success');
  });

  it('says what is wrong with a film, and that nothing is left of one', async () => {
    const silent = join(input, 'broken.mp4');
    copyFileSync(fixture('video/load-video.json'), silent);
    const broken = await engine.run({ 1: loader({ video: 'broken.mp4' }), 2: combiner({}) });
    expect(JSON.stringify(broken)).toMatch(/broken\.mp4 can't be read as a video/);
    const skipped = await engine.run({ 1: loader({ skip_first_frames: 24 }), 2: combiner({}) });
    expect(JSON.stringify(skipped)).toMatch(/no frames are left .* it has 24; skip fewer/);
    makeClip(join(input, 'silent.webm'), 0.1, '32x32', '-an');
    expect(
      (await engine.run({ 1: loader({ video: 'silent.webm' }), 2: combiner({ audio: ['1', 2] }) })).status,
    ).toBe('success');
  });
});

let prefixes = 0;

function combiner(inputs: Readonly<Record<string, unknown>>) {
  const given = {
    images: ['1', 0],
    frame_rate: 24,
    loop_count: 0,
    filename_prefix: `film${prefixes++}`,
    format: 'video/h264-mp4',
    pingpong: false,
    save_output: true,
  };
  return { class_type: 'VHS_VideoCombine', inputs: { ...given, ...inputs } };
}

async function combined(
  inputs: Readonly<Record<string, unknown>>,
  loading: Readonly<Record<string, unknown>> = {},
) {
  const workflow = { 1: loader(loading), 2: combiner(inputs) };
  const extra_data = { extra_pnginfo: { workflow: { nodes: [], extra: inputs['extra'] ?? {} } } };
  const result = await engine.run({ prompt: workflow, extra_data });
  if (result.status !== 'success') throw new Error(JSON.stringify(result));
  return result.outputs['2']!.gifs![0]!;
}

describe('VHS_VideoCombine', () => {
  it.each([
    ['video/h264-mp4', { crf: 10, pix_fmt: 'yuv420p' }, 'h264', 'yuv420p'],
    ['video/h265-mp4', {}, 'hevc', 'yuv420p10le'],
    ['video/webm', {}, 'vp9', 'yuv420p'],
    ['video/ProRes', { profile: '4444' }, 'prores', 'yuv444p12le'],
    ['video/ffv1-mkv', { pix_fmt: 'yuv444p' }, 'ffv1', 'yuv444p'],
    ['video/ffmpeg-gif', { dither: 'bayer' }, 'gif', 'bgra'],
  ])('%s', async (format, widgets, codec_name, pix_fmt) => {
    const film = await combined({ format, ...widgets });
    const [video, ...rest] = factsOf(film.path).streams;
    expect(video).toMatchObject({ codec_name, pix_fmt, width: 48, height: 32 });
    expect(rest).toEqual([]);
    expect(framesOf(film.path, 8, 8).length).toBe(24 * 8 * 8 * 3);
    const text = readFileSync(film.path).toString('latin1');
    expect(text.includes('VHS_LoadVideo')).toBe(!['video/ProRes', 'video/ffmpeg-gif'].includes(format));
  });

  it('numbers files, with the first frame and the sound beside', async () => {
    const film = await combined({ filename_prefix: 'sub/numbered', audio: ['1', 2] });
    expect(film).toMatchObject({
      filename: 'numbered_00001-audio.mp4',
      subfolder: 'sub',
      type: 'output',
      format: 'video/h264-mp4',
    });
    expect(await combined({ filename_prefix: 'sub/numbered' }, { select_every_nth: 2 })).toMatchObject({
      filename: 'numbered_00002.mp4',
    });
    expect(readdirSync(join(home, 'output', 'sub')).sort()).toEqual([
      ...['numbered_00001-audio.mp4', 'numbered_00001.mp4', 'numbered_00001.png'],
      ...['numbered_00002.mp4', 'numbered_00002.png'],
    ]);
    const [video, audio] = factsOf(film.path).streams;
    expect(video).toMatchObject({
      codec_name: 'h264',
      nb_frames: '24',
      duration: '1.000000',
      color_space: 'bt709',
    });
    expect(audio).toMatchObject({ codec_name: 'aac' });
    // Padded with silence, and cut off where the next packet would be too many.
    expect(Number(audio!.duration)).toBeGreaterThanOrEqual(1);
    expect(factsOf(film.path).format.tags?.['prompt']).toContain('"class_type": "VHS_VideoCombine"');
    const png = readFileSync(join(home, 'output/sub/numbered_00001.png')).toString('latin1');
    expect(png).toContain('prompt\0{"1"');
    expect(png).toContain('CreationTime\0');
  });

  it('leaves out what the editor switched off', async () => {
    const extra = { VHS_MetadataImage: false, VHS_KeepIntermediate: false };
    await combined({ filename_prefix: 'alone', audio: ['1', 2], extra });
    expect(readdirSync(join(home, 'output')).filter((name) => name.startsWith('alone'))).toEqual([
      'alone_00001-audio.mp4',
    ]);
  });

  it('plays there and back, and again', async () => {
    const film = await combined(
      { pingpong: true, loop_count: 1, save_metadata: false },
      { frame_load_cap: 5, select_every_nth: 4 },
    );
    // Five frames, three of them on the way back; twice.
    expect(factsOf(film.path).streams[0]!.nb_frames).toBe('16');
    expect(factsOf(film.path).format.tags?.['prompt']).toBeUndefined();
    const frames = framesOf(film.path, 16, 16);
    const frame = (index: number) => frames.subarray(index * 768, (index + 1) * 768);
    const distance = (one: number, other: number) => difference(frame(one), frame(other));
    expect(distance(1, 7)).toBeLessThan(distance(1, 4) / 2);
  });

  it.each(['image/gif', 'image/webp'])('%s', async (format) => {
    const film = await combined(
      { format, frame_rate: 10, pingpong: true, save_output: false },
      { frame_load_cap: 6 },
    );
    expect(film).toMatchObject({ type: 'temp', format });
    const sharp = await loadSharp();
    const { delay, loop, width, pageHeight } = await sharp(film.path, { animated: true }).metadata();
    // Frames that are alike become one that is shown for longer.
    expect(delay!.reduce((sum, one) => sum + one)).toBe(1000);
    expect({ loop, width, pageHeight }).toEqual({ loop: 0, width: 48, pageHeight: 32 });
  });

  it('makes odd sides even, and pictures of frames', async () => {
    const odd = await combined({}, { custom_width: 33, custom_height: 21 });
    expect(factsOf(odd.path).streams[0]).toMatchObject({ width: 34, height: 22 });
    await combined({ format: 'video/16bit-png', filename_prefix: 'frames' }, { frame_load_cap: 3 });
    expect(
      readdirSync(join(home, 'output'))
        .filter((name) => name.startsWith('frames'))
        .sort(),
    ).toEqual([
      ...['frames_00001.001.png', 'frames_00001.002.png', 'frames_00001.003.png', 'frames_00001.png'],
    ]);
  });

  it('takes inputs over links, and refuses what a format has not', async () => {
    const workflow = {
      1: loader(),
      3: { class_type: 'VHS_VideoInfoLoaded', inputs: { video_info: ['1', 3] } },
      2: combiner({ frame_rate: ['3', 0], crf: ['3', 1] }),
    };
    const result = await engine.run(workflow);
    if (result.status !== 'success') throw new Error(JSON.stringify(result));
    expect(factsOf(result.outputs['2']!.gifs![0]!.path).streams[0]!.r_frame_rate).toBe('24/1');
    const refused = await engine.run({ 1: loader(), 2: combiner({ pix_fmt: 'yuv422p' }) });
    expect(JSON.stringify(refused)).toMatch(
      /pix_fmt is .*yuv422p.*; video\/h264-mp4 takes one of yuv420p, yuv420p10le/,
    );
    const unknown = engine.validate({ 1: loader(), 2: combiner({ format: 'video/h264' }) });
    expect(JSON.stringify(unknown)).toContain('video/h264-mp4');
    expect(readdirSync(join(home, 'output')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('leaves nothing of a film that was cancelled', async () => {
    const stop = new AbortController();
    const before = readdirSync(join(home, 'output'));
    const workflow = { 1: loader(), 2: combiner({ filename_prefix: 'cancelled', frame_rate: 12 }) };
    const steps: string[] = [];
    const result = await engine.run(workflow, {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type !== 'progress') return;
        steps.push(`${event.class_type} ${event.step}/${event.total_steps}`);
        if (event.class_type === 'VHS_VideoCombine' && event.step === 5) stop.abort();
      },
    });
    expect(result.status).toBe('interrupted');
    expect(steps.slice(-2)).toEqual(['VHS_VideoCombine 4/24', 'VHS_VideoCombine 5/24']);
    expect(readdirSync(join(home, 'output'))).toEqual(before);
    expect(existsSync(join(home, 'output', 'cancelled_00001.png'))).toBe(false);
  });
});

describe('sound', () => {
  const heard = async (node: string, inputs: Readonly<Record<string, unknown>>) => {
    const workflow = {
      1: loader({ frame_load_cap: 1 }),
      2: { class_type: 'Look', inputs: { images: ['1', 0], audio: ['3', 0], info: ['1', 3] } },
      3: { class_type: node, inputs },
    };
    const result = await engine.run(workflow);
    if (result.status !== 'success') return JSON.stringify(result);
    return seen!.sound;
  };

  it('is loaded from films and from files of sound, in part', async () => {
    expect(
      await heard('VHS_LoadAudioUpload', { audio: 'clip.mp4', start_time: 0.25, duration: 0.5 }),
    ).toEqual([[1, 1, 4000], 8000]);
    ffmpeg('-f', 'lavfi', '-i', 'sine=d=0.5:r=16000', '-ac', '2', join(input, 'tone.wav'));
    for (const audio_file of ['tone.wav', 'input/tone.wav', ` "${join(input, 'tone.wav')}"`]) {
      expect(await heard('VHS_LoadAudio', { audio_file, seek_seconds: 0.25 })).toEqual([[1, 2, 4000], 16000]);
    }
    expect(await heard('VHS_LoadAudio', { audio_file: '../outside.mp4' })).toMatch(
      /leads out of the input folder/,
    );
    ffmpeg('-f', 'lavfi', '-i', 'color=s=32x32:d=0.1', join(input, 'mute.mp4'));
    expect(await heard('VHS_LoadAudio', { audio_file: 'mute.mp4' })).toMatch(/mute\.mp4 holds no sound/);
  });

  it('of several is the default one', async () => {
    const tones = [8000, 16000].flatMap((rate) => ['-f', 'lavfi', '-i', `sine=d=0.2:r=${rate}`]);
    const maps = ['-map', '0', '-map', '1', '-disposition:a:0', '0', '-disposition:a:1', 'default'];
    ffmpeg(...tones, ...maps, '-c:a', 'pcm_s16le', join(input, 'two.mkv'));
    expect(await heard('VHS_LoadAudio', { audio_file: 'two.mkv' })).toEqual([[1, 1, 3200], 16000]);
  });
});

it('classes that are left out say what does their work', () => {
  const workflow = { 1: { class_type: 'VHS_BatchManager', inputs: {} }, 2: combiner({ images: ['1', 0] }) };
  expect(JSON.stringify(engine.validate(workflow))).toMatch(
    /latentd leaves this class out: films are loaded as a whole, .*`latentd upscale`/,
  );
});
