/** Short films out of ffmpeg's own sources, and what is in a film. */
import { execFileSync } from 'node:child_process';
import { tensor, type Tensor } from '../../src/compute/tensor.js';

/** Runs ffmpeg with these arguments. */
export function ffmpeg(...args: readonly string[]): void {
  execFileSync('ffmpeg', ['-y', '-v', 'error', ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
}

/** A test picture that moves, `seconds` long, with a tone; further options are the output's. */
export function makeClip(path: string, seconds: number, size: string, ...options: readonly string[]): void {
  const sources = [
    ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=30:d=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=d=${seconds}`],
  ];
  ffmpeg(...sources, '-pix_fmt', 'yuv420p', ...options, path);
}

export interface StreamFacts {
  readonly codec_type: string;
  readonly codec_name: string;
  readonly width?: number;
  readonly height?: number;
  readonly pix_fmt?: string;
  readonly color_range?: string;
  readonly color_space?: string;
  readonly r_frame_rate: string;
  readonly avg_frame_rate: string;
  readonly start_time?: string;
  readonly duration?: string;
  readonly nb_frames?: string;
  readonly side_data_list?: readonly { readonly rotation?: number }[];
}

export interface FilmFacts {
  readonly streams: readonly StreamFacts[];
  readonly format: { readonly duration: string; readonly tags?: Readonly<Record<string, string>> };
}

/** ffprobe's account of a file. */
export function factsOf(path: string): FilmFacts {
  const args = ['-v', 'error', '-of', 'json', '-show_streams', '-show_format', path];
  return JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })) as FilmFacts;
}

/** When each frame is shown, in seconds. */
export function timesOf(path: string): number[] {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v',
    '-show_entries',
    'packet=pts_time',
    '-of',
    'csv=p=0',
    path,
  ];
  const lines = execFileSync('ffprobe', args, { encoding: 'utf8' }).split('\n');
  return lines
    .map(parseFloat)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
}

/** Every frame as 8-bit RGB, scaled to a size, as a player would show it. */
export function framesOf(path: string, width: number, height: number): Uint8Array {
  const filter = `scale=${width}:${height}:flags=area`;
  const args = [
    '-v',
    'error',
    '-i',
    path,
    '-vf',
    filter,
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-',
  ];
  return execFileSync('ffmpeg', args, { maxBuffer: 1 << 28 });
}

/** Root of the mean squared difference, of 255. */
export function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  a.forEach((value, index) => (sum += (value - b[index]!) ** 2));
  return Math.sqrt(sum / a.length);
}

/** Each pixel four times. */
export function twice(image: Tensor): Promise<Tensor> {
  const [, height, width, channels] = image.shape as readonly [number, number, number, number];
  const large = tensor([1, height * 2, width * 2, channels]);
  for (let y = 0; y < height * 2; y++) {
    for (let x = 0; x < width * 2; x++) {
      const from = ((y >> 1) * width + (x >> 1)) * channels;
      large.data.set(image.data.subarray(from, from + channels), (y * width * 2 + x) * channels);
    }
  }
  return Promise.resolve(large);
}
