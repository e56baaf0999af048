/** Films as ComfyUI's own nodes write them: frames, sound and the workflow in one go of ffmpeg. */
import { writeFile } from 'node:fs/promises';
import { interleaved, type Sound } from '../../../video/audio.js';
import { runFfmpeg, startFfmpeg, type FfmpegInput } from '../../../video/ffmpeg.js';
import type { RawFormat } from '../../../video/nut.js';
import { withTemporary } from '../../files/temporary-path.js';
import { feed, ffmetadata } from '../film-writing.js';

/** Of the workflow, by key. */
type FilmTags = Readonly<Record<string, string>>;

export interface FilmFrames {
  readonly width: number;
  readonly height: number;
  readonly format: RawFormat;
  readonly count: number;
  /** Frames a second, as ffmpeg writes fractions. */
  readonly rate: string;
  /** The bytes of each. */
  at(index: number): Uint8Array;
}

export interface FilmWriting {
  readonly frames: FilmFrames;
  readonly sound?: Sound | undefined;
  /** What ffmpeg calls the container. */
  readonly container: string;
  readonly encoder: readonly string[];
  /** Between frames and encoder. */
  readonly filters: readonly string[];
  readonly texts: FilmTags;
  readonly signal: AbortSignal;
}

/** RGB to the encoder's pixels as PyAV's `reformat` does it, bit for bit; nothing is tagged, as there. */
export function pixelFilters(pixels: string): readonly string[] {
  return [`scale=out_color_matrix=bt601:out_range=tv:flags=bilinear`, `format=${pixels}`];
}

/** Formats whose colours have half the resolution need even sides: an odd one's last row or column is there once more. */
export function evenSides(width: number, height: number): readonly string[] {
  const [right, bottom] = [width % 2, height % 2];
  if (right + bottom === 0) return [];
  return [
    `pad=${width + right}:${height + bottom}:0:0`,
    `fillborders=right=${right}:bottom=${bottom}:mode=smear`,
  ];
}

/** Writes a film to `path`. Rejects with `VideoError`, and with the signal's reason. */
export async function writeFilm(path: string, writing: FilmWriting): Promise<void> {
  const { frames, sound, container, encoder, filters, texts, signal } = writing;
  const raw = ['-f', 'rawvideo', '-pix_fmt', frames.format, '-s', `${frames.width}x${frames.height}`];
  await withSideFiles(path, { texts, sound }, async (sides) => {
    signal.throwIfAborted();
    const job = startFfmpeg({
      inputs: [{ options: [...raw, '-r', frames.rate] }, ...sides.inputs],
      output: {
        path,
        options: [
          ...['-map', '0:v', ...sides.options],
          ...['-vf', filters.join(','), ...encoder, '-f', container],
        ],
      },
    });
    const stop = (): void => {
      job.kill();
    };
    signal.addEventListener('abort', stop);
    job.stdin.on('error', () => undefined);
    try {
      for (let index = 0; index < frames.count; index++) await feed(job, frames.at(index));
      job.stdin.end();
      await job.done;
    } finally {
      signal.removeEventListener('abort', stop);
      job.kill();
      signal.throwIfAborted();
    }
  });
}

/** Sound alone. */
export interface SoundWriting {
  readonly sound: Sound;
  readonly container: string;
  readonly encoder: readonly string[];
  readonly texts: FilmTags;
  readonly signal: AbortSignal;
}

/** Writes sound to `path`. Rejects as `writeFilm`. */
export async function writeSound(path: string, writing: SoundWriting): Promise<void> {
  const { sound, texts, container, encoder, signal } = writing;
  await withSideFiles(path, { texts, sound, first: 0 }, async ({ inputs, options }) => {
    await runFfmpeg({
      inputs,
      output: { path, options: [...options, ...encoder, '-f', container] },
      signal,
    });
  });
}

interface SideFiles {
  readonly inputs: readonly FfmpegInput[];
  /** That map them. */
  readonly options: readonly string[];
}

/** What goes to ffmpeg beside the frames, in files that are there meanwhile. `first` is the number of the first input. */
export async function withSideFiles(
  path: string,
  {
    texts,
    sound,
    first = 1,
  }: { readonly texts: FilmTags; readonly sound?: Sound | undefined; readonly first?: number },
  use: (sides: SideFiles) => Promise<void>,
): Promise<void> {
  const [textsPath, soundPath] = [`${path}.texts`, `${path}.sound`];
  const inputs: FfmpegInput[] = [];
  const options: string[] = [];
  const withTexts = Object.keys(texts).length > 0;
  const given = async (): Promise<void> => {
    if (sound !== undefined) {
      await writeFile(soundPath, interleaved(sound), { flag: 'wx' });
      const form = ['-f', 'f32le', '-ar', String(sound.sampleRate), '-ac', String(sound.channels)];
      options.push('-map', `${first + inputs.length}:a`);
      inputs.push({ path: soundPath, options: form });
    }
    if (withTexts) {
      await writeFile(textsPath, ffmetadata(texts), { flag: 'wx' });
      options.push('-map_metadata', String(first + inputs.length));
      inputs.push({ path: textsPath, options: ['-f', 'ffmetadata'] });
    }
    await use({ inputs, options });
  };
  const withText = withTexts ? () => withTemporary(textsPath, given) : given;
  await (sound === undefined ? withText() : withTemporary(soundPath, withText));
}
