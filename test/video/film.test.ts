import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { processFilm, type FilmOptions } from '../../src/video/film.js';
import { difference, factsOf, ffmpeg, framesOf, makeClip, timesOf, twice } from './clips.js';

const folder = mkdtempSync(join(tmpdir(), 'latentd-film-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const at = (name: string) => join(folder, name);

function film(input: string, output: string, more: Partial<FilmOptions> = {}) {
  return processFilm({ input: at(input), output: at(output), process: twice, identity: 'twice', ...more });
}

const video = (name: string) => factsOf(at(name)).streams.find(({ codec_type }) => codec_type === 'video')!;

makeClip(at('plain.mp4'), 2, '96x64');

describe('a film through a function', () => {
  it('keeps frames, their order and times, and the sound', async () => {
    const progress: number[] = [];
    const result = await film('plain.mp4', 'plain-2.mp4', {
      // Three stretches.
      stretchFrames: 25,
      onProgress: ({ done, total }) => {
        expect(total).toBe(60);
        progress.push(done);
      },
    });
    expect(result).toEqual({ frames: 60, resumed: 0, width: 192, height: 128 });
    expect(progress).toEqual(Array.from({ length: 61 }, (_, index) => index));
    const [before, after] = [factsOf(at('plain.mp4')), factsOf(at('plain-2.mp4'))];
    expect(after.format.duration).toBe(before.format.duration);
    for (const index of [0, 1]) {
      const [was, is] = [before.streams[index]!, after.streams[index]!];
      expect(is.duration).toBe(was.duration);
      expect(is.nb_frames).toBe(was.nb_frames);
      expect(is.r_frame_rate).toBe(was.r_frame_rate);
    }
    expect(timesOf(at('plain-2.mp4'))).toEqual(timesOf(at('plain.mp4')));
    // The picture moves: a frame in another's place would be far off.
    expect(difference(framesOf(at('plain-2.mp4'), 24, 16), framesOf(at('plain.mp4'), 24, 16))).toBeLessThan(
      6,
    );
    const sound = (name: string) => {
      ffmpeg('-i', at(name), '-vn', '-c:a', 'copy', '-f', 'adts', at('sound.aac'));
      return readFileSync(at('sound.aac'));
    };
    expect(sound('plain-2.mp4').equals(sound('plain.mp4'))).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes('latentd'))).toEqual([]);
  });

  it('keeps times that follow no rate', async () => {
    const every = "select='not(mod(n\\,3)*gt(n\\,30))'";
    makeClip(at('uneven.mp4'), 3, '64x48', '-vf', every, '-fps_mode', 'vfr');
    await film('uneven.mp4', 'uneven-2.mp4', { stretchFrames: 20 });
    expect(timesOf(at('uneven-2.mp4'))).toEqual(timesOf(at('uneven.mp4')));
    expect(video('uneven-2.mp4').duration).toBe(video('uneven.mp4').duration);
    await film('uneven.mp4', 'uneven-2.webm');
    const [first = 0] = timesOf(at('uneven-2.webm'));
    timesOf(at('uneven.mp4')).forEach((time, index) => {
      expect(timesOf(at('uneven-2.webm'))[index]! - first).toBeCloseTo(time, 2);
    });
  }, 120_000);

  it.each([
    { output: 'turned-2.mp4', width: 192, height: 128, rotation: 90 },
    { output: 'turned-2.mkv', width: 128, height: 192, rotation: undefined },
  ])('is shown upright: $output', async ({ output, width, height, rotation }) => {
    ffmpeg(
      '-i',
      at('plain.mp4'),
      '-c',
      'copy',
      '-metadata:s:v:0',
      'rotate=90',
      '-t',
      '0.5',
      at('turned.mp4'),
    );
    const seen = new Set<string>();
    await film('turned.mp4', output, {
      process: (image) => {
        seen.add(image.shape.join('x'));
        return twice(image);
      },
    });
    // Whoever works on the frames sees them as people do.
    expect([...seen]).toEqual(['1x96x64x3']);
    expect(video(output)).toMatchObject({ width, height });
    expect(video(output).side_data_list?.find((data) => data.rotation !== undefined)?.rotation).toBe(
      rotation,
    );
    expect(difference(framesOf(at(output), 16, 24), framesOf(at('turned.mp4'), 16, 24))).toBeLessThan(6);
  });

  it.each(['bt709', 'smpte170m'])('keeps the colours of %s, in full range', async (matrix) => {
    const tags = [
      '-color_range',
      'pc',
      '-colorspace',
      matrix,
      '-color_primaries',
      matrix,
      '-color_trc',
      matrix,
    ];
    const scale = `scale=out_range=pc:out_color_matrix=${matrix === 'bt709' ? 'bt709' : 'bt601'}`;
    const source = ['-f', 'lavfi', '-i', 'color=c=0xd06030:s=64x48:r=30:d=0.3', '-pix_fmt', 'yuv420p'];
    ffmpeg(...source, '-vf', scale, ...tags, at('colours.mp4'));
    await film('colours.mp4', 'colours-2.mp4');
    expect(video('colours-2.mp4')).toMatchObject({ color_range: 'pc', color_space: matrix });
    const mean = (name: string) => {
      const bytes = framesOf(at(name), 1, 1);
      return [0, 1, 2].map((channel) => bytes[channel]!);
    };
    mean('colours.mp4').forEach((value, channel) => {
      expect(Math.abs(mean('colours-2.mp4')[channel]! - value)).toBeLessThanOrEqual(2);
    });
  });

  it.each([
    ['deep.mov', 'prores', 'yuv422p10le'],
    ['deep-2.mp4', 'hevc', 'yuv420p10le'],
    ['deep.webm', 'vp9', 'yuv420p10le'],
  ])('keeps ten bits in %s', async (output, codec_name, pix_fmt) => {
    makeClip(
      at('deep.mp4'),
      0.3,
      '64x48',
      '-c:v',
      'libx265',
      '-x265-params',
      'log-level=none',
      '-pix_fmt',
      'yuv420p10le',
    );
    await film('deep.mp4', output, output === 'deep-2.mp4' ? { codec: 'h265' } : {});
    expect(video(output)).toMatchObject({ codec_name, pix_fmt, width: 128, height: 96 });
    expect(timesOf(at(output)).length).toBe(9);
  });

  it('makes odd sides even, and does without sound', async () => {
    makeClip(at('odd.mkv'), 0.3, '64x48', '-an', '-vf', 'format=yuv444p,crop=33:21', '-pix_fmt', 'yuv444p');
    const same: FilmOptions['process'] = (image) => Promise.resolve(image);
    expect(await film('odd.mkv', 'odd-2.mp4', { process: same })).toMatchObject({ width: 34, height: 22 });
    expect(factsOf(at('odd-2.mp4')).streams.length).toBe(1);
  });

  it('keeps several sounds, subtitles and titles', async () => {
    writeFileSync(at('words.srt'), '1\n00:00:00,500 --> 00:00:01,500\nhello\n');
    const extra = ['-f', 'lavfi', '-i', 'sine=f=880:d=2', '-i', at('words.srt')];
    const maps = ['0:v', '0:a', '1:a', '2:s'].flatMap((map) => ['-map', map]);
    ffmpeg(
      '-i',
      at('plain.mp4'),
      ...extra,
      ...maps,
      '-c:v',
      'copy',
      '-metadata',
      'title=Film',
      '-c:a:1',
      'flac',
      at('many.mkv'),
    );
    const warnings: string[] = [];
    const codecs = (name: string) => factsOf(at(name)).streams.map(({ codec_name }) => codec_name);
    await film('many.mkv', 'many-2.mp4', { onWarning: (text) => warnings.push(text) });
    expect(codecs('many-2.mp4')).toEqual(['h264', 'aac', 'aac', 'mov_text']);
    expect(warnings).toEqual([
      "sound in vorbis can't be copied into .mp4; it becomes aac",
      "sound in flac can't be copied into .mp4; it becomes aac",
    ]);
    expect(factsOf(at('many-2.mp4')).format.tags?.['title']).toBe('Film');
    await film('many.mkv', 'many-2.mkv');
    expect(codecs('many-2.mkv')).toEqual(['h264', 'vorbis', 'flac', 'ass']);
  });
});

describe('a film that was stopped', () => {
  const stopAt = async (output: string, frame: number) => {
    const stop = new AbortController();
    let seen = 0;
    const stopped = film('plain.mp4', output, {
      stretchFrames: 10,
      signal: stop.signal,
      process: (image) => {
        if (++seen === frame) stop.abort(new Error('enough'));
        return twice(image);
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(existsSync(at(output))).toBe(false);
  };

  it('goes on after the last finished stretch, to the same film', async () => {
    await stopAt('again.mp4', 38);
    let made = 0;
    const result = await film('plain.mp4', 'again.mp4', {
      stretchFrames: 10,
      process: (image) => {
        made++;
        return twice(image);
      },
    });
    expect(result.resumed).toBeGreaterThanOrEqual(20);
    expect(made).toBe(60 - result.resumed);
    expect(result.frames).toBe(60);
    expect(timesOf(at('again.mp4'))).toEqual(timesOf(at('plain.mp4')));
    expect(difference(framesOf(at('again.mp4'), 24, 16), framesOf(at('plain.mp4'), 24, 16))).toBeLessThan(6);
    expect(existsSync(at('again.mp4.latentd'))).toBe(false);
  });

  it('after a single frame has the same times, and the same rate where a single one is left', async () => {
    makeClip(at('frames.mp4'), 0.7, '96x64');
    const stop = new AbortController();
    const first = film('frames.mp4', 'frames-2.mp4', {
      stretchFrames: 1,
      signal: stop.signal,
      onProgress: ({ done }) => {
        if (done === 1) stop.abort(new Error('enough'));
      },
    });
    await expect(first).rejects.toThrow('enough');
    const { resumed, frames } = await film('frames.mp4', 'frames-2.mp4', { stretchFrames: 19 });
    expect(resumed).toBeGreaterThan(0);
    expect(frames).toBe(21);
    expect(timesOf(at('frames-2.mp4'))).toEqual(timesOf(at('frames.mp4')));
    await film('frames.mp4', 'frames-3.mp4', { stretchFrames: 10 });
    expect(video('frames-3.mp4')).toMatchObject({ avg_frame_rate: '30/1', duration: '0.700000' });
    expect(timesOf(at('frames-3.mp4'))).toEqual(timesOf(at('frames.mp4')));
  });

  it('begins anew with other settings', async () => {
    await stopAt('other.mp4', 38);
    const warnings: string[] = [];
    const result = await film('plain.mp4', 'other.mp4', {
      identity: 'otherwise',
      onWarning: (text) => warnings.push(text),
    });
    expect(result).toMatchObject({ frames: 60, resumed: 0 });
    expect(warnings).toEqual(['work of an earlier run with other settings was thrown away']);
  });

  it('leaves nothing where nothing was finished', async () => {
    const failing = film('plain.mp4', 'failing.mp4', {
      process: () => Promise.reject(new Error('no model')),
    });
    await expect(failing).rejects.toThrow('no model');
    expect(readdirSync(folder).filter((name) => name.startsWith('failing'))).toEqual([]);
  });
});

describe('a disk that is full', () => {
  /** From a frame on, a file of the work is written to where there is no space. */
  const filling = (output: string, frame: number, file: string) => {
    let seen = 0;
    return film('plain.mp4', output, {
      stretchFrames: 10,
      process: (image) => {
        if (++seen === frame) symlinkSync('/dev/full', at(`${output}.latentd/${file}`));
        return twice(image);
      },
    });
  };

  it.each([
    ['in a stretch', 'full-1.mp4', 'stretch-000000040.mp4', 40],
    ['when the whole is put together', 'full-2.mp4', 'whole.mp4', 60],
  ])('%s is an error, after which it goes on', async (_, output, file, frames) => {
    await expect(filling(output, 12, file)).rejects.toThrow(
      `no space left on the device; ${frames} frames are done, and the same command goes on after them`,
    );
    expect(existsSync(at(output))).toBe(false);
    const left = readdirSync(at(`${output}.latentd`)).filter((name) => name !== 'manifest.json');
    expect(left.length).toBe(frames / 10);
    expect(await film('plain.mp4', output, { stretchFrames: 10 })).toMatchObject({
      frames: 60,
      resumed: frames,
    });
    expect(timesOf(at(output))).toEqual(timesOf(at('plain.mp4')));
  });
});

describe('what no film can be made of', () => {
  it.each([
    ['text.mp4', 'just text', /can't be read as a video: .*Invalid data/],
    ['list.m3u8', '#EXTM3U\n#EXTINF:1,\nplain.mp4\n', /can't be read as a video/],
    ['list.mp4', 'ffconcat version 1.0\nfile plain.mp4\n', /can't be read as a video/],
  ])('%s', async (name, text, message) => {
    writeFileSync(at(name), text);
    await expect(film(name, 'none.mp4')).rejects.toThrow(message);
  });

  it('a film without its end, a sound, a missing file', async () => {
    writeFileSync(at('cut.mp4'), readFileSync(at('plain.mp4')).subarray(0, 5000));
    await expect(film('cut.mp4', 'none.mp4')).rejects.toThrow(
      /cut\.mp4 can't be read as a video: moov atom not found/,
    );
    ffmpeg('-i', at('plain.mp4'), '-vn', at('sound.m4a'));
    await expect(film('sound.m4a', 'none.mp4')).rejects.toThrow(/holds no video/);
    ffmpeg('-i', at('plain.mp4'), '-frames:v', '1', at('cover.png'));
    const cover = [
      '-map',
      '1',
      '-map',
      '0',
      '-c:a',
      'copy',
      '-c:v',
      'png',
      '-disposition:v:0',
      'attached_pic',
    ];
    ffmpeg('-i', at('sound.m4a'), '-i', at('cover.png'), ...cover, at('song.m4a'));
    await expect(film('song.m4a', 'none.mp4')).rejects.toThrow(/holds no video/);
    await expect(film('missing.mp4', 'none.mp4')).rejects.toThrow(/No such file/);
  });

  it('an output that has no form', async () => {
    await expect(film('plain.mp4', 'film.xyz')).rejects.toThrow(/\.xyz; use \.mp4, \.mov, \.mkv, \.webm/);
    await expect(film('plain.mp4', 'film.webm', { codec: 'h264' })).rejects.toThrow(
      '.webm takes vp9, not h264',
    );
    await expect(film('plain.mp4', 'film.mp4', { codec: 'h256' })).rejects.toThrow(
      'there is no codec "h256": use h264, h265, prores, vp9; nearest: "h264", "h265"',
    );
  });

  it('what could be decoded of a damaged one is taken', async () => {
    ffmpeg('-i', at('plain.mp4'), '-c', 'copy', at('whole.mkv'));
    const bytes = readFileSync(at('whole.mkv'));
    writeFileSync(at('half.mkv'), bytes.subarray(0, Math.floor(bytes.length / 2)));
    const warnings: string[] = [];
    const result = await film('half.mkv', 'half-2.mp4', { onWarning: (text) => warnings.push(text) });
    expect(result.frames).toBeGreaterThan(10);
    expect(result.frames).toBeLessThan(60);
    expect(warnings[0]).toMatch(/has faults \(File ended prematurely\)/);
  });
});
