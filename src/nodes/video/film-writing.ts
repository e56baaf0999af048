/** Frames to a film as VHS_VideoCombine writes it (VideoHelperSuite, nodes.py). */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { interleaved } from '../../video/audio.js';
import { startFfmpeg, type FfmpegJob } from '../../video/ffmpeg.js';
import { fromImage, type RawFrame } from '../../video/frames.js';
import type { RawFormat } from '../../video/nut.js';
import type { BytePicture } from '../../imaging/bytes.js';
import { loadSharp } from '../../imaging/load-sharp.js';
import type { FilmEncoding, PictureFormat } from './film-formats.js';
import type { Audio, Image } from '../values.js';

/** One frame: an image of a batch. */
export interface Shown {
  readonly batch: Image;
  readonly index: number;
}

export interface FilmJob {
  readonly frames: AsyncIterable<Shown> | Iterable<Shown>;
  /** How many there will be. */
  readonly count: number;
  readonly frameRate: number;
  readonly loops: number;
  readonly signal: AbortSignal;
  readonly onFrame: (done: number) => void;
}

/** Texts of the workflow by key, and a path for them to go through. */
export interface FilmTexts {
  readonly texts: Readonly<Record<string, string>>;
  readonly path: string;
}

/** Writes a film without sound to `path`, for sequences a pattern. Rejects with `VideoError`, and with the signal's reason. */
export async function writeFilm(
  path: string,
  encoding: FilmEncoding,
  job: FilmJob,
  metadata: FilmTexts,
): Promise<void> {
  const withTexts = encoding.saveMetadata && Object.keys(metadata.texts).length > 0;
  if (withTexts) await writeFile(metadata.path, ffmetadata(metadata.texts));
  let running: { readonly job: FfmpegJob; readonly size: string } | undefined;
  const stop = (): void => {
    running?.job.kill();
  };
  job.signal.addEventListener('abort', stop);
  try {
    let done = 0;
    for await (const { batch, index } of job.frames) {
      job.signal.throwIfAborted();
      const frame = fromImage(batch, index, rawFormat(encoding, batch));
      running ??= {
        job: startEncoder(path, encoding, job, frame, withTexts ? metadata.path : undefined),
        size: sizeOf(frame),
      };
      await feed(running.job, frame.bytes);
      job.onFrame(++done);
    }
    running?.job.stdin.end();
    await running?.job.done;
  } finally {
    job.signal.removeEventListener('abort', stop);
    running?.job.kill();
    job.signal.throwIfAborted();
  }
}

function rawFormat({ deep }: FilmEncoding, { shape }: Image): RawFormat {
  if (shape[3] === 4) return deep === true ? 'rgba64le' : 'rgba';
  return deep === true ? 'rgb48le' : 'rgb24';
}

const sizeOf = ({ width, height }: RawFrame) => `${width}x${height}`;

function startEncoder(
  path: string,
  encoding: FilmEncoding,
  { frameRate, loops, count }: FilmJob,
  frame: RawFrame,
  texts: string | undefined,
): FfmpegJob {
  const bt709 = encoding.bt709 === true;
  const filters = [
    ...(loops > 0 ? [`loop=loop=${loops}:size=${count}`] : []),
    ...(bt709 ? ['scale=out_color_matrix=bt709'] : []),
    ...(encoding.filter === undefined ? [] : [encoding.filter]),
  ];
  const transfer = bt709 ? 'bt709' : 'iec61966-2-1';
  const colours = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'];
  // ProRes has one range.
  const range = encoding.extension === 'mov' ? [] : ['-color_range', 'tv'];
  return startFfmpeg({
    inputs: [
      ...(texts === undefined ? [] : [{ path: texts, options: ['-f', 'ffmetadata'] }]),
      {
        options: [
          ...['-f', 'rawvideo', '-pix_fmt', frame.format],
          ...[
            '-color_range',
            'pc',
            '-colorspace',
            'rgb',
            '-color_primaries',
            'bt709',
            '-color_trc',
            transfer,
          ],
          ...['-s', sizeOf(frame), '-r', String(frameRate)],
        ],
      },
    ],
    output: {
      path,
      options: [
        ...(filters.length === 0 ? [] : ['-vf', filters.join(',')]),
        ...encoding.encoder,
        ...(bt709 ? [...range, ...colours] : []),
        ...(texts === undefined ? [] : ['-metadata', 'creation_time=now', '-movflags', 'use_metadata_tags']),
      ],
    },
  });
}

/** Waits while ffmpeg is behind; rejects when it has failed. */
export async function feed({ stdin, done }: FfmpegJob, bytes: Uint8Array): Promise<void> {
  if (stdin.write(bytes)) return;
  const failure = new AbortController();
  done.catch((error: unknown) => {
    failure.abort(error);
  });
  try {
    await once(stdin, 'drain', { signal: failure.signal });
  } catch (error) {
    failure.signal.throwIfAborted();
    throw error;
  }
}

/** ffmpeg's metadata file (https://ffmpeg.org/ffmpeg-formats.html#Metadata-1). */
export function ffmetadata(texts: Readonly<Record<string, string>>): string {
  const lines = Object.entries(texts).map(
    ([key, text]) => `${key}=${text.replace(/[\\;#=\n]/g, (sign) => `\\${sign}`)}\n`,
  );
  return `;FFMETADATA1\n${lines.join('')}`;
}

/** Adds sound to a film: padded with silence to the film's length unless it is to be trimmed. */
export async function addSound(
  from: { readonly film: string; readonly seconds: number; readonly audio: Audio },
  path: string,
  encoding: FilmEncoding,
  signal: AbortSignal,
): Promise<void> {
  const { film, seconds, audio } = from;
  const channels = audio.waveform.shape[1]!;
  const sound = { channels, sampleRate: audio.sampleRate, samples: audio.waveform.data };
  const job = startFfmpeg({
    inputs: [
      { path: film },
      { options: ['-f', 'f32le', '-ar', String(audio.sampleRate), '-ac', String(channels)] },
    ],
    output: {
      path,
      options: [
        ...['-c:v', 'copy', ...(encoding.audio ?? ['-c:a', 'libopus'])],
        ...(encoding.trimToAudio ? [] : ['-af', `apad=whole_dur=${seconds + 1}`]),
        '-shortest',
      ],
    },
  });
  const stop = (): void => {
    job.kill();
  };
  signal.addEventListener('abort', stop);
  job.stdin.on('error', () => undefined);
  job.stdin.end(interleaved(sound));
  try {
    await job.done;
  } finally {
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
  }
}

/** Writes an animated picture. */
export async function writePicture(
  path: string,
  format: PictureFormat,
  job: FilmJob,
  lossless: boolean,
): Promise<void> {
  const sharp = await loadSharp();
  const pages: BytePicture[] = [];
  for await (const shown of job.frames) {
    job.signal.throwIfAborted();
    pages.push(pictureOf(shown));
    job.onFrame(pages.length);
  }
  const { width, height, channels } = pages[0]!;
  const raw = {
    width,
    height: height * pages.length,
    channels: channels === 4 ? 4 : 3,
    ...(pages.length > 1 && { pageHeight: height }),
  } as const;
  const delay = pages.map(() => Math.round(1000 / job.frameRate));
  const picture = sharp(Buffer.concat(pages.map(({ data }) => data)), { raw, limitInputPixels: false });
  const written =
    format === 'image/gif'
      ? picture.gif({ delay, loop: job.loops })
      : picture.webp({ delay, loop: job.loops, lossless });
  await written.toFile(path);
}

/** 8 bits a channel, rounded, at the image's own size. */
export function pictureOf({ batch, index }: Shown): BytePicture {
  const [count, height, width, channels] = batch.shape as readonly [number, number, number, number];
  const length = batch.data.length / count;
  const data = Uint8Array.from(batch.data.subarray(index * length, (index + 1) * length), (value) => {
    const level = value * 255 + 0.5;
    return level > 0 ? Math.min(level, 255) : 0;
  });
  return { width, height, channels, data };
}
