/** Films as cameras, phones and cutting programs leave them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { processFilm } from '../../src/video/film.js';
import { difference, factsOf, ffmpeg, framesOf, makeClip, timesOf, twice } from './clips.js';

const folder = mkdtempSync(join(tmpdir(), 'latentd-film-edges-'));
const at = (name: string) => join(folder, name);
beforeAll(() => {
  makeClip(at('plain.mp4'), 1, '96x64');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const film = (input: string, output: string) =>
  processFilm({ input: at(input), output: at(output), process: twice, identity: 'twice', stretchFrames: 13 });

/** What a player needs to show picture and sound together. */
function timing(name: string) {
  return factsOf(at(name)).streams.map(({ codec_type, start_time, duration, nb_frames }) => [
    codec_type,
    ...[start_time, duration, nb_frames],
  ]);
}

const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=96x64:r=30:d=1'];
const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=d=${seconds}`];
const plain = ['-pix_fmt', 'yuv420p'];

it.each([
  ['sound that is longer', [...picture, ...tone(2), ...plain]],
  ['sound that is shorter', [...picture, ...tone(0.4), ...plain]],
  [
    'a picture that begins later',
    ['-itsoffset', '0.3', ...picture, ...tone(1), '-map', '0', '-map', '1', ...plain],
  ],
  ['a single frame', [...picture, '-frames:v', '1', ...plain]],
  ['a single frame, and sound', [...picture, ...tone(1), '-frames:v', '1', ...plain]],
  ['a frame a second', ['-f', 'lavfi', '-i', 'testsrc2=s=96x64:r=1:d=4', ...plain]],
  ["television's rate", ['-f', 'lavfi', '-i', 'testsrc2=s=96x64:r=30000/1001:d=1', ...tone(1), ...plain]],
])('%s', async (_, options) => {
  ffmpeg(...options, at('in.mp4'));
  await film('in.mp4', 'out.mp4');
  expect(timing('out.mp4')).toEqual(timing('in.mp4'));
  expect(timesOf(at('out.mp4'))).toEqual(timesOf(at('in.mp4')));
});

it('sound that begins later begins no earlier', async () => {
  ffmpeg(...picture, '-itsoffset', '0.3', ...tone(1), ...plain, at('late.mp4'));
  await film('late.mp4', 'late-2.mp4');
  const start = (name: string) => factsOf(at(name)).streams[1]!.start_time;
  expect(start('late-2.mp4')).toBe(start('late.mp4'));
});

it.each([180, 270])('turned by %i degrees', async (degrees) => {
  ffmpeg('-i', at('plain.mp4'), '-c', 'copy', '-metadata:s:v:0', `rotate=${degrees}`, at('turned.mp4'));
  await film('turned.mp4', 'turned-2.mp4');
  const rotation = (name: string) =>
    factsOf(at(name)).streams[0]!.side_data_list?.find((data) => data.rotation !== undefined)?.rotation;
  expect(rotation('turned-2.mp4')).toBe(rotation('turned.mp4'));
  const [width, height] = degrees === 180 ? [24, 16] : [16, 24];
  expect(
    difference(framesOf(at('turned-2.mp4'), width, height), framesOf(at('turned.mp4'), width, height)),
  ).toBeLessThan(6);
});

it('what was cut off without encoding anew stays cut off', async () => {
  makeClip(at('long.mp4'), 2, '96x64', '-g', '30');
  ffmpeg('-ss', '0.5', '-i', at('long.mp4'), '-c', 'copy', at('cut.mp4'));
  const { frames } = await film('cut.mp4', 'cut-2.mp4');
  const shown = framesOf(at('cut.mp4'), 24, 16);
  // The file holds the frames from the last key frame on; players show those from half a second on.
  expect(timesOf(at('cut.mp4')).length).toBeGreaterThan(frames);
  expect(frames).toBe(shown.length / (24 * 16 * 3));
  expect(difference(framesOf(at('cut-2.mp4'), 24, 16), shown)).toBeLessThan(6);
  const length = (name: string) => factsOf(at(name)).format.duration;
  expect(length('cut-2.mp4')).toBe(length('cut.mp4'));
});
