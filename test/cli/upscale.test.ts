import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSharp } from '../../src/imaging/load-sharp.js';
import { writeSyntheticCheckpoint } from '../support/synthetic.js';
import { difference, factsOf, ffmpeg, framesOf, makeClip, timesOf } from '../video/clips.js';
import { compactManifest } from '../video/compact.js';
import { buildCli, latentd } from './latentd.js';

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

  it.each([
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
