/** ComfyUI's own nodes for films and sound, beside what ComfyUI reads of the same files (tools/reference/video_nodes.py). */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { createEngine } from '../../../src/engine/create-engine.js';
import { heldAudio } from '../../../src/nodes/audio/sound.js';
import { defineNode, link } from '../../../src/nodes/definition.js';
import { fixture } from '../../support/golden.js';
import { factsOf } from '../../video/clips.js';

interface Summary {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly values: readonly number[];
}
type SoundSummary = Summary & { readonly rate: number };
interface Reference {
  readonly films: readonly {
    readonly file: string;
    readonly slice: readonly [number, number] | null;
    readonly images: Summary;
    readonly fps: number;
    readonly bits: number;
    readonly audio: SoundSummary | null;
  }[];
  readonly sounds: readonly { readonly file: string; readonly audio: SoundSummary }[];
  readonly made: readonly {
    readonly fps: number;
    readonly slice: readonly [number, number];
    readonly count: number | null;
    readonly mean?: number;
    readonly rate?: number;
  }[];
}
const folder = fixture('video/core');
const reference = JSON.parse(readFileSync(join(folder, 'films.json'), 'utf8')) as Reference;

const home = mkdtempSync(join(tmpdir(), 'latentd-core-films-'));
const input = join(home, 'input');
mkdirSync(input);
for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(input, name));

interface Seen {
  images?: Tensor;
  audio?: { readonly waveform: Tensor; readonly sampleRate: number } | undefined;
  fps?: number;
  bits?: number;
}
let seen: Seen = {};

const anything = { displayName: '', category: 'test', description: '', required: {} } as const;
const look = defineNode({
  ...anything,
  name: 'Look',
  optional: { images: link('IMAGE'), audio: link('AUDIO'), fps: link('FLOAT'), bits: link('INT') },
  outputs: [],
  outputNode: true,
  async run({ images, audio, fps, bits }, { signal }) {
    seen = {
      ...(images && { images }),
      audio: await audio?.(signal),
      ...(fps !== undefined && { fps }),
      ...(bits !== undefined && { bits: Number(bits) }),
    };
    return { outputs: [] };
  },
});
/** Twelve frames that grow brighter, and a tone of two channels. */
const ramp = tensor([12, 64, 64, 3]);
ramp.data.forEach((_, at) => (ramp.data[at] = Math.fround(at / (ramp.data.length - 1))));
const tone = tensor([1, 2, 9000]);
tone.data.forEach((_, at) => (tone.data[at] = Math.sin((at % 9000) / 9) * (at < 9000 ? 0.5 : 0.25)));
const source = defineNode({
  ...anything,
  name: 'Source',
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'images' },
    { type: 'AUDIO', name: 'audio' },
  ],
  run: () => ({ outputs: [ramp, heldAudio({ waveform: tone, sampleRate: 16000 })] }),
});

const engine = createEngine({
  folders: { input, output: join(home, 'output'), temp: join(home, 'temp'), models: join(home, 'models') },
  nodes: [look, source],
});
afterAll(async () => {
  await engine.dispose();
  rmSync(home, { recursive: true });
});

type Nodes = Readonly<Record<string, readonly [string, Readonly<Record<string, unknown>>]>>;

async function run(nodes: Nodes) {
  const prompt = Object.fromEntries(
    Object.entries(nodes).map(([id, [class_type, inputs]]) => [id, { class_type, inputs }]),
  );
  return engine.run({ prompt, extra_data: { extra_pnginfo: { workflow: { nodes: [] } } } });
}

async function succeed(nodes: Nodes) {
  const result = await run(nodes);
  if (result.status !== 'success') throw new Error(JSON.stringify(result));
  return result.outputs;
}

const parts = (video: string): Nodes => ({
  parts: ['GetVideoComponents', { video: [video, 0] }],
  look: ['Look', { images: ['parts', 0], audio: ['parts', 1], fps: ['parts', 2], bits: ['parts', 3] }],
});
const slice = (video: string, [start_time, duration]: readonly [number, number]): Nodes => ({
  slice: ['Video Slice', { video: [video, 0], start_time, duration, strict_duration: false }],
});

function expectLike({ data, shape }: Tensor, expected: Summary, tolerance: number): void {
  expect(shape).toEqual(expected.shape);
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  expect(Math.abs(mean - expected.mean)).toBeLessThan(tolerance);
  expected.values.forEach((value, index) => {
    expect(Math.abs(data[(index * 7919) % data.length]! - value)).toBeLessThan(tolerance);
  });
}

describe('films in files', () => {
  it.each(reference.films)('$file $slice', async ({ file, slice: cut, images, fps, bits, audio }) => {
    const load = { load: ['LoadVideo', { file }] } as const;
    await succeed(
      cut === null ? { ...load, ...parts('load') } : { ...load, ...slice('load', cut), ...parts('slice') },
    );
    // Bit for bit with this ffmpeg; another one may round otherwise.
    expectLike(seen.images!, images, 1 / 255);
    expect(seen).toMatchObject({ fps, bits });
    if (audio === null) {
      expect(seen.audio).toBeUndefined();
      return;
    }
    const { waveform, sampleRate } = seen.audio!;
    expect(sampleRate).toBe(audio.rate);
    // ComfyUI counts from the packet that a time lies in, and is a sample late where that rounds down.
    expect(Math.abs(waveform.shape[2]! - audio.shape[2]!)).toBeLessThanOrEqual(1);
    if (waveform.shape[2] === audio.shape[2]) expectLike(waveform, audio, 1e-6);
  });

  it('are copied where they may stay as they are, with the workflow inside', async () => {
    const load = { load: ['LoadVideo', { file: 'left.mp4' }] } as const;
    const saving = { video: ['load', 0], filename_prefix: 'video/copy', format: 'auto', codec: 'auto' };
    const { save } = await succeed({ ...load, save: ['SaveVideo', saving] });
    const [file] = save!.images!;
    expect(save).toMatchObject({
      images: [{ filename: 'copy_00001_.mp4', subfolder: 'video' }],
      animated: [true],
    });
    const packets = (path: string) =>
      execFileSync(
        'ffprobe',
        ['-v', 'error', '-show_entries', 'packet=data_hash', '-show_data_hash', 'md5', '-of', 'csv', path],
        { encoding: 'utf8' },
      );
    expect(packets(file!.path)).toBe(packets(join(input, 'left.mp4')));
    const { tags } = factsOf(file!.path).format;
    expect(tags!['prompt']).toContain('"class_type": "SaveVideo"');
    expect(tags!['workflow']).toBe('{"nodes": []}');
  });

  it('become H.264 where they may not', async () => {
    const load = {
      load: ['LoadVideo', { file: 'alpha.webm' }],
      cut: ['LoadVideo', { file: 'left.mp4' }],
    } as const;
    const saving = { filename_prefix: 'again', format: 'mp4', codec: 'h264' };
    const { one, other } = await succeed({
      ...load,
      ...slice('cut', [0.1, 0.2]),
      one: ['SaveVideo', { ...saving, video: ['load', 0] }],
      other: ['SaveVideo', { ...saving, video: ['slice', 0] }],
    });
    const [whole] = factsOf(one!.images![0]!.path).streams;
    expect(whole).toMatchObject({
      codec_name: 'h264',
      pix_fmt: 'yuv420p',
      width: 50,
      height: 34,
      nb_frames: '5',
    });
    const [film, sound] = factsOf(other!.images![0]!.path).streams;
    expect(film).toMatchObject({ codec_name: 'h264', nb_frames: '6' });
    expect(Number(sound!.duration)).toBeCloseTo(0.2, 1);
  });
});

describe('films of images', () => {
  const made: Nodes = { source: ['Source', {}] };

  it.each(reference.made)('at $fps a second, $slice', async ({ fps, slice: cut, count, mean, rate }) => {
    const create: Nodes = { ...made, create: ['CreateVideo', { images: ['source', 0], fps }] };
    const result = await run({ ...create, ...slice('create', cut), ...parts('slice') });
    if (count === null) {
      expect(JSON.stringify(result)).toContain('there are no');
      return;
    }
    expect(result.status).toBe('success');
    expect(seen.images!.shape[0]).toBe(count);
    expect(seen.fps).toBe(rate);
    const { data } = seen.images!;
    const green = data.filter((_, at) => at % 3 === 1);
    // ComfyUI's have been through H.264.
    expect(Math.abs(green.reduce((sum, value) => sum + value, 0) / green.length - mean!)).toBeLessThan(0.02);
  });

  it('are saved with sound as long as they are', async () => {
    const create = { images: ['source', 0], audio: ['source', 1], fps: 29.97, bit_depth: 10 };
    const { save } = await succeed({
      ...made,
      create: ['CreateVideo', create],
      save: ['SaveVideo', { video: ['create', 0], filename_prefix: 'made', format: 'auto', codec: 'auto' }],
    });
    const [film, sound] = factsOf(save!.images![0]!.path).streams;
    expect(film).toMatchObject({
      codec_name: 'h264',
      pix_fmt: 'yuv420p10le',
      avg_frame_rate: '2997/100',
      nb_frames: '12',
    });
    expect(Number(sound!.duration)).toBeCloseTo(12 / 29.97, 2);
  });

  it.each([
    ['vp9', 'yuv420p'],
    ['av1', 'yuv420p10le'],
  ])('are saved as WebM of %s', async (codec, pix_fmt) => {
    const inputs = { images: ['source', 0], filename_prefix: codec, codec, fps: 12.5, crf: 32 };
    const { save } = await succeed({ ...made, save: ['SaveWEBM', inputs] });
    expect(save).toMatchObject({ images: [{ filename: `${codec}_00001_.webm` }], animated: [true] });
    const { streams, format } = factsOf(save!.images![0]!.path);
    expect(streams[0]).toMatchObject({ codec_name: codec, pix_fmt, avg_frame_rate: '25/2', width: 64 });
    expect(format.tags).toMatchObject({ WORKFLOW: '{"nodes": []}' });
  });
});

describe('sound', () => {
  it.each(reference.sounds)('$file', async ({ file, audio }) => {
    await succeed({ load: ['LoadAudio', { audio: file }], look: ['Look', { audio: ['load', 0] }] });
    expect(seen.audio!.sampleRate).toBe(audio.rate);
    expectLike(seen.audio!.waveform, audio, 1e-6);
  });

  it.each([
    ['SaveAudioMP3', { quality: 'V0' }, 'mp3', 16000],
    ['SaveAudioAdvanced', { format: 'opus', 'format.quality': '96k' }, 'opus', 48000],
    ['PreviewAudio', {}, 'flac', 16000],
  ])('%s', async (name, given, extension, rate) => {
    const inputs = {
      audio: ['source', 1],
      ...(name !== 'PreviewAudio' && { filename_prefix: `sound/${name}` }),
      ...given,
    };
    const { save } = await succeed({ source: ['Source', {}], save: [name, inputs] });
    const [file] = save!['audio'] as readonly [
      { readonly filename: string; readonly path: string; readonly type: string },
    ];
    expect(file.filename).toMatch(new RegExp(`_00001\\.${extension}$`));
    expect(file.type).toBe(name === 'PreviewAudio' ? 'temp' : 'output');
    const { streams, format } = factsOf(file.path) as unknown as {
      readonly streams: readonly {
        readonly codec_name: string;
        readonly sample_rate: string;
        readonly tags?: object;
      }[];
      readonly format: { readonly tags?: object };
    };
    expect(streams[0]).toMatchObject({ codec_name: extension, sample_rate: String(rate) });
    expect(JSON.stringify([streams[0]!.tags, format.tags])).toContain('class_type');
  });

  it('comes back out of FLAC in 16 bits', async () => {
    const { save } = await succeed({
      source: ['Source', {}],
      save: ['SaveAudio', { audio: ['source', 1], filename_prefix: 'back' }],
    });
    const [file] = save!['audio'] as readonly [{ readonly path: string }];
    copyFileSync(file.path, join(input, 'back.flac'));
    await succeed({ load: ['RecordAudio', { audio: 'back.flac' }], look: ['Look', { audio: ['load', 0] }] });
    const { waveform } = seen.audio!;
    expect(waveform.shape).toEqual([1, 2, 9000]);
    const worst = waveform.data.reduce(
      (most, value, at) => Math.max(most, Math.abs(value - tone.data[at]!)),
      0,
    );
    expect(worst).toBeLessThanOrEqual(0.5001 / 32768);
  });
});
