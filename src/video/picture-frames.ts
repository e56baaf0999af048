/** Pictures of formats that ffmpeg alone reads, and films as batches of pictures. */
import { readFile } from 'node:fs/promises';
import { Budget } from '../imaging/pictures/budget.js';
import { decodePicture } from '../imaging/pictures/decode.js';
import { PictureError, UnknownPictureError, type Frame } from '../imaging/pictures/frame.js';
import { ByteReader } from './byte-reader.js';
import { planColour } from './colour.js';
import { startFfmpeg, USER_FILE_OPTIONS } from './ffmpeg.js';
import { VideoError } from './video-error.js';
import { passthroughOptions } from './versions.js';
import { probeVideo, type VideoInfo } from './video-info.js';

/** The frames of a picture file; further formats, and films, by ffmpeg where it is installed. Rejects with `PictureError`, and with the signal's reason. */
export async function readPictureFile(path: string, signal?: AbortSignal): Promise<Frame[]> {
  try {
    return await decodePicture(await readFile(path), signal);
  } catch (error) {
    if (!(error instanceof UnknownPictureError)) throw error;
    try {
      return await pictureFramesByFfmpeg(path, signal);
    } catch (cause) {
      if (!(cause instanceof PictureError || cause instanceof VideoError)) throw cause;
      throw new PictureError(`${error.message}; others are read by ffmpeg, but ${cause.message}`, { cause });
    }
  }
}

/**
 * Every frame of a file that ffmpeg can read, upright: of 8 bits a channel as bytes, else as numbers (ComfyUI's VideoFromFile). Rejects
 * with `PictureError` for a file that can't be read, `VideoError` where ffmpeg isn't installed, and with the signal's reason.
 */
async function pictureFramesByFfmpeg(path: string, signal?: AbortSignal): Promise<Frame[]> {
  const info = await probeVideo(path);
  const colours = await framesOf(info, info.index, info.deep ? 'gbrapf32le' : 'rgba', signal);
  if (colours.length === 0) throw new PictureError('ffmpeg finds no frame in it');
  if (info.alphaIndex === undefined) return colours;
  const alphas = await framesOf(info, info.alphaIndex, info.deep ? 'gbrapf32le' : 'rgba', signal);
  return colours.map((frame, index) => withAlpha(frame, alphas[index]));
}

type PixelFormat = 'rgba' | 'gbrapf32le';

async function framesOf(
  info: VideoInfo,
  stream: number,
  format: PixelFormat,
  signal?: AbortSignal,
): Promise<Frame[]> {
  const { width, height } = info;
  const budget = new Budget(signal);
  const { matrix, range } = planColour(info, info.stored);
  const flags = 'flags=bilinear+accurate_rnd+full_chroma_int';
  const filters = [
    // As libavif scales chroma up: from the middle of each square. In a step of its own, or ffmpeg forgets where it lies.
    ...(info.avif && !info.deep
      ? [
          `scale=in_range=${range}:out_range=${range}:in_h_chr_pos=128:in_v_chr_pos=128:${flags}`,
          'format=yuv444p',
        ]
      : []),
    `scale=${width}:${height}:in_color_matrix=${matrix}:in_range=${range}:${flags}`,
    `format=${format}`,
  ];
  signal?.throwIfAborted();
  const job = startFfmpeg({
    inputs: [{ path: info.path, options: USER_FILE_OPTIONS }],
    output: {
      options: [
        ...['-map', `0:${stream}`, '-an', '-sn', '-dn', '-vf', filters.join(',')],
        ...(await passthroughOptions()),
        ...['-c:v', 'rawvideo', '-f', 'rawvideo'],
      ],
    },
  });
  const stop = (): void => {
    job.kill();
  };
  signal?.addEventListener('abort', stop);
  const reader = new ByteReader(job.stdout);
  const frames: Frame[] = [];
  const alpha = info.alpha ? 'channel' : 'none';
  try {
    for (;;) {
      const bytes = await reader.read(width * height * (format === 'rgba' ? 4 : 16));
      if (bytes === undefined) break;
      await budget.spend(width, height);
      frames.push({
        width,
        height,
        rgba: format === 'rgba' ? bytes : interleaved(bytes, width * height),
        alpha,
      });
    }
    await job.done;
    return frames;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof VideoError) throw new PictureError(error.message, { cause: error });
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    job.kill();
  }
}

/** Planes of green, blue, red and alpha as pixels. */
function interleaved(bytes: Uint8Array, pixels: number): Float32Array {
  const planes = new Float32Array(bytes.buffer, bytes.byteOffset, pixels * 4);
  const rgba = new Float32Array(pixels * 4);
  for (let pixel = 0; pixel < pixels; pixel++) {
    rgba[pixel * 4] = planes[pixels * 2 + pixel]!;
    rgba[pixel * 4 + 1] = planes[pixel]!;
    rgba[pixel * 4 + 2] = planes[pixels + pixel]!;
    rgba[pixel * 4 + 3] = planes[pixels * 3 + pixel]!;
  }
  return rgba;
}

/** AVIF keeps its alpha as the greys of a stream of its own. */
function withAlpha(frame: Frame, alpha: Frame | undefined): Frame {
  if (alpha === undefined) return frame;
  const rgba = frame.rgba.slice();
  for (let at = 0; at < rgba.length; at += 4) rgba[at + 3] = alpha.rgba[at]!;
  return { ...frame, rgba, alpha: 'channel' };
}
