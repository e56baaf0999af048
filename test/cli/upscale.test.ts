import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSharp } from '../../src/imaging/load-sharp.js';
import { writeSyntheticCheckpoint } from '../support/synthetic.js';
import { difference, factsOf, ffmpeg, framesOf, makeClip, timesOf } from '../video/clips.js';
import { compactManifest } from '../video/compact.js';
import { buildCli, latentd, ROOT } from './latentd.js';

let home: string;

beforeAll(() => {
  buildCli();
  home = mkdtempSync(join(tmpdir(), 'latentd-upscale-'));
  mkdirSync(join(home, 'models/upscale_models'), { recursive: true });
  writeSyntheticCheckpoint(
    compactManifest(2, 16, 4),
    join(home, 'models/upscale_models/compact-x2.safetensors'),
  );
  makeClip(join(home, 'in.mp4'), 2, '96x64');
  mkdirSync(join(home, 'folder.mp4'));
});
afterAll(() => {
  rmSync(home, { recursive: true });
});

const upscale = (...args: readonly string[]) => latentd(['upscale', ...args], { cwd: home });

describe('latentd upscale', () => {
  it('enlarges a film, frames, times and sound kept', async () => {
    const { code, stdout, stderr } = await upscale('in.mp4', 'out.mp4', '--json');
    expect(stderr).toBe('model compact-x2.safetensors\n');
    expect(code).toBe(0);
    const output = join(home, 'out.mp4');
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'success',
      output,
      width: 192,
      height: 128,
      frames: 60,
      resumed: 0,
    });
    const [before, after] = [factsOf(join(home, 'in.mp4')), factsOf(output)];
    expect(after.format.duration).toBe(before.format.duration);
    expect(after.streams.map(({ nb_frames, duration }) => [nb_frames, duration])).toEqual(
      before.streams.map(({ nb_frames, duration }) => [nb_frames, duration]),
    );
    expect(timesOf(output)).toEqual(timesOf(join(home, 'in.mp4')));
  });

  it('has a model of its own where none is there, nearer to an unseen sprite than bicubic', async () => {
    const cwd = mkdtempSync(join(home, 'empty-'));
    const sharp = await loadSharp();
    // 5 pixels a side each, halved by averaging: 32 × 2.5.
    const large = sharp(join(ROOT, 'test/fixtures/starter/unseen-sprite.png'))
      .removeAlpha()
      .resize(160, 160, { kernel: 'nearest' });
    const wanted = await large.raw().toBuffer();
    const halved = new Uint8Array(80 * 80 * 3);
    for (let i = 0; i < halved.length; i++) {
      const [channel, x, y] = [i % 3, Math.floor(i / 3) % 80, Math.floor(i / 240)];
      const at = (dy: number, dx: number) => wanted[((2 * y + dy) * 160 + 2 * x + dx) * 3 + channel]!;
      halved[i] = Math.round((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4);
    }
    const small = sharp(halved, { raw: { width: 80, height: 80, channels: 3 } });
    await small.clone().png().toFile(join(cwd, 'small.png'));
    const { code, stdout, stderr } = await latentd(['upscale', 'small.png', 'large.png'], { cwd });
    expect([code, stdout]).toEqual([0, `${join(cwd, 'large.png')}\n`]);
    expect(stderr).toMatch(/^starter-x2\.safetensors is a tiny model for pixel art/);
    const decibels = (got: Uint8Array) =>
      -10 *
      Math.log10(got.reduce((sum, value, i) => sum + (value - wanted[i]!) ** 2, 0) / got.length / 255 ** 2);
    const cubic = await small.clone().resize(160, 160, { kernel: 'cubic' }).raw().toBuffer();
    const ours = await sharp(join(cwd, 'large.png')).removeAlpha().raw().toBuffer();
    expect(decibels(ours)).toBeGreaterThan(decibels(cubic) + 3);
    // A folder that the user named isn't written to.
    const named = await latentd(['upscale', 'small.png', 'other.png', '--models', 'elsewhere'], { cwd });
    expect([named.code, named.stderr]).toEqual([2, expect.stringContaining('no model in upscale_models')]);
  });

  it('enlarges a picture', async () => {
    ffmpeg(
      '-i',
      join(home, 'in.mp4'),
      '-frames:v',
      '1',
      '-vf',
      'format=rgb24,crop=33:21',
      join(home, 'in.png'),
    );
    expect((await upscale('in.png', 'sub/out.png', '--model', 'compact-x2')).code).toBe(0);
    const sharp = await loadSharp();
    expect(await sharp(join(home, 'sub/out.png')).metadata()).toMatchObject({
      width: 66,
      height: 42,
      format: 'png',
    });
    expect(
      difference(framesOf(join(home, 'sub/out.png'), 8, 8), framesOf(join(home, 'in.png'), 8, 8)),
    ).toBeLessThan(60);
  });

  it('keeps the transparency and the colour profile of a picture', async () => {
    const sharp = await loadSharp();
    const pixels = Buffer.from(
      Array.from({ length: 20 * 12 * 4 }, (_, i) => (i % 4 === 3 ? (i < 480 ? 0 : 255) : 120)),
    );
    await sharp(pixels, { raw: { width: 20, height: 12, channels: 4 } })
      .withIccProfile('p3')
      .png()
      .toFile(join(home, 'clear.png'));
    const before = await sharp(join(home, 'clear.png')).metadata();
    expect(await upscale('clear.png', 'clear2.png')).toMatchObject({
      code: 0,
      stderr: 'model compact-x2.safetensors\n',
    });
    const after = await sharp(join(home, 'clear2.png')).metadata();
    expect(after).toMatchObject({ width: 40, height: 24, hasAlpha: true });
    expect(after.icc?.equals(before.icc!)).toBe(true);
    const alpha = await sharp(join(home, 'clear2.png')).extractChannel(3).raw().toBuffer();
    expect([alpha[0], alpha.at(-1)]).toEqual([0, 255]);
    const jpeg = await upscale('clear.png', 'clear2.jpg');
    expect(jpeg.code).toBe(0);
    expect(jpeg.stderr).toMatch(/warning: a JPEG has no transparency; write a \.png or \.webp/);
    expect((await sharp(join(home, 'clear2.jpg')).metadata()).icc?.equals(before.icc!)).toBe(true);
  });

  it('keeps the frames of an animated picture, and their times, where the output can hold them', async () => {
    const sharp = await loadSharp();
    const values = Uint8Array.from({ length: 7 * 15 * 3 }, (_, i) => Math.floor(i / 105) * 100);
    const raw = { width: 7, height: 15, channels: 3, pageHeight: 5 } as const;
    await sharp(values, { raw })
      .gif({ delay: [50, 70, 90] })
      .toFile(join(home, 'moving.gif'));
    expect((await upscale('moving.gif', 'moving.webp')).code).toBe(0);
    const after = await sharp(join(home, 'moving.webp'), { pages: -1 }).metadata();
    expect(after).toMatchObject({ pages: 3, width: 14, pageHeight: 10, delay: [50, 70, 90] });
    const still = await upscale('moving.gif', 'moving.png');
    expect(still.code).toBe(0);
    expect(still.stderr).toMatch(
      /warning: only the first of 3 frames is written; write a \.webp to keep them all/,
    );
  });

  it('a program in FFMPEG_PATH that is not there is an error', async () => {
    const { code, stderr } = await latentd(['upscale', 'in.mp4', 'x.mp4'], {
      cwd: home,
      env: { FFMPEG_PATH: '/nowhere/ffmpeg' },
    });
    expect(stderr).toMatch(/FFMPEG_PATH names "\/nowhere\/ffmpeg", which is no program that can be started/);
    expect(code).toBe(1);
  });

  it.each([
    [['in.mp4', 'folder.mp4'], /OUTPUT .*folder\.mp4 is a folder; name a file in it/],
    [['missing.mp4', 'x.mp4'], /there is no file .*missing\.mp4/],
    [['in.mp4', 'in.mp4'], /same file/],
    [['in.mp4', 'x.avi'], /can't be written as \.avi; use \.mp4, \.mov, \.mkv, \.webm/],
    [['in.mp4', 'x.webm', '--codec', 'h264'], /\.webm takes vp9, not h264/],
    [['in.mp4', 'x.mp4', '--model', 'compact-x3'], /no upscale_models file "compact-x3"/],
    [['in.mp4', 'x.mp4', '--model', 'none'], /leaves nothing to do/],
    [['in.mp4', 'x.mp4', '--faces', 'CodeFormer'], /no facerestore_models file "CodeFormer"/],
    [['in.mp4', 'x.mp4', '--fidelity', '2'], /--fidelity must be a number from 0 to 1/],
    [['in.mp4', 'x.mp4', '--detector', 'yolo'], /--detector is one of retinaface_resnet50/],
  ])('%j', async (args, message) => {
    const { code, stderr } = await upscale(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(existsSync(join(home, 'x.mp4'))).toBe(false);
  });

  it('says how to install ffmpeg where it is absent', async () => {
    const { code, stderr } = await latentd(['upscale', 'in.mp4', 'x.mp4'], {
      cwd: home,
      env: { PATH: home },
    });
    expect(stderr).toMatch(
      /ffmpeg and ffprobe are needed for video: install them .*apt-get install -y ffmpeg/,
    );
    expect(code).toBe(1);
    expect(readdirSync(home).filter((name) => name.startsWith('x.'))).toEqual([]);
  });
});
