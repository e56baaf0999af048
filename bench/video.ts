/**
 * A film of a minute through Compact ×2: what is kept of it, what the process takes, and what decoding and encoding add to inference.
 * `SECONDS` sets the film's length, `FEATURES` and `CONVOLUTIONS` the network's size (64 and 16 are the real one's).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { createFolders } from '../src/models/folders/folders.js';
import { createModelStore } from '../src/models/open-models.js';
import { createProgramCache } from '../src/models/programs/program-cache.js';
import { writeSyntheticCheckpoint } from '../test/support/synthetic.js';
import { decodeVideo } from '../src/video/decode.js';
import { processFilm, type FrameProcessor } from '../src/video/film.js';
import { toImage } from '../src/video/frames.js';
import { probeVideo } from '../src/video/video-info.js';
import { factsOf, makeClip } from '../test/video/clips.js';
import { compactManifest } from '../test/video/compact.js';
import { openFigures } from './harness/figures.js';

const { figure } = openFigures(
  'video',
  'A 320×240 film with sound through Compact ×2: what is kept, and what it costs beside inference.',
);

const setting = (name: string, preset: number) => Number(process.env[name] ?? preset);
const SECONDS = setting('SECONDS', 60);
const megabytes = (bytes: number) => bytes / 2 ** 20;

test(`${SECONDS} seconds`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-bench-video-'));
  const programs = createProgramCache(createOnnxBackend());
  try {
    const model = join(folder, 'compact.safetensors');
    writeSyntheticCheckpoint(compactManifest(2, setting('FEATURES', 64), setting('CONVOLUTIONS', 16)), model);
    const [input, output] = [join(folder, 'in.mp4'), join(folder, 'out.mp4')];
    makeClip(input, SECONDS, '320x240');
    const folders = createFolders({ models: folder, input: folder, output: folder, temp: folder });
    const upscaler = createModelStore({ programs, folders }).upscaler(model);
    const enlarge: FrameProcessor = (frame, signal) => upscaler.upscale(frame, { signal });
    const signal = new AbortController().signal;

    // The model is loaded and its memory taken before anything counts.
    for await (const frame of decodeVideo(await probeVideo(input), { format: 'rgb24' })) {
      await enlarge(toImage(frame), signal);
      if (frame.index === 2) break;
    }

    // Inference alone takes its turns among the film's frames, so that both see the same machine.
    let inference = 0;
    const resident: number[] = [];
    const timed: FrameProcessor = async (frame, given) => {
      const began = performance.now();
      const result = await enlarge(frame, given);
      inference += performance.now() - began;
      resident.push(process.memoryUsage.rss());
      return result;
    };
    const began = performance.now();
    const film = await processFilm({ input, output, process: timed, identity: 'bench' });
    const wall = performance.now() - began;

    let alone = 0;
    const sample = 60;
    for await (const frame of decodeVideo(await probeVideo(input), { format: 'rgb24' })) {
      const image = toImage(frame);
      const from = performance.now();
      await enlarge(image, signal);
      alone += performance.now() - from;
      if (frame.index === sample - 1) break;
    }

    figure('frames', film.frames, '', { atLeast: SECONDS * 30 });
    const [before, after] = [factsOf(input), factsOf(output)];
    expect(after.format.duration).toBe(before.format.duration);
    expect(after.streams.map(({ nb_frames, duration }) => [nb_frames, duration])).toEqual(
      before.streams.map(({ nb_frames, duration }) => [nb_frames, duration]),
    );
    const settled = resident.slice(Math.floor(resident.length / 4));
    figure('resident, at most', megabytes(Math.max(...resident)), 'MB', { below: 600 });
    figure('resident, growth after the first quarter', megabytes(settled.at(-1)! - settled[0]!), 'MB', {
      below: 50,
    });
    figure('a frame, inference alone', alone / sample, 'ms');
    figure('a frame, whole film', wall / film.frames, 'ms');
    figure('inference within the film, to alone', inference / film.frames / (alone / sample), '×');
    figure('whole film, to inference within it', wall / inference, '×', { below: 1.1 });
    figure('whole film, to inference alone', wall / film.frames / (alone / sample), '×', { below: 1.1 });
  } finally {
    await programs.dispose();
    rmSync(folder, { recursive: true });
  }
});
