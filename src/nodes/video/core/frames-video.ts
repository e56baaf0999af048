/** A film that is made of images (ComfyUI comfy_api/latest/_input_impl/video_types.py, VideoFromComponents). */
import { tensor } from '../../../compute/tensor.js';
import { toPicture } from '../../../imaging/bytes.js';
import { roundHalfEven } from '../../../imaging/rounding.js';
import { rgbOf } from '../../../imaging/channels.js';
import type { Sound } from '../../../video/audio.js';
import type { Audio, AudioSource, Image, Video } from '../../values.js';
import { evenSides, pixelFilters, writeFilm, type FilmFrames } from './write-film.js';

export interface FramesOptions {
  readonly images: Image;
  readonly audio?: AudioSource | undefined;
  readonly frameRate: number;
  readonly bitDepth: number;
}

/** H.264 and AAC as PyAV opens them, with x264's own quality. */
export const H264_OPTIONS: readonly string[] = [
  '-c:v',
  'libx264',
  '-c:a',
  'aac',
  '-movflags',
  'use_metadata_tags',
];

export function pixelsOf(bitDepth: number): string {
  return bitDepth >= 10 ? 'yuv420p10le' : 'yuv420p';
}

/** A plain object, so that kept results count the images. */
export function framesVideo({
  images,
  audio = () => Promise.resolve(undefined),
  frameRate,
  bitDepth,
}: FramesOptions): Video {
  const [count, height, width] = images.shape as readonly [number, number, number, number];
  const rate = thousandths(frameRate);
  const duration = () => count / frameRate;
  const { data, shape } = images;
  return {
    images,
    size: () => Promise.resolve({ width, height }),
    read: () => Promise.resolve({ images, audio, frameRate, bitDepth }),
    duration: () => Promise.resolve(duration()),
    async save(path, { texts, signal }) {
      if (count === 0) throw new RangeError('a film of no images cannot be saved');
      const sound = await audio(signal);
      await writeFilm(path, {
        frames: bytesOf(images, rate, bitDepth),
        sound: sound && soundOf(sound, Math.ceil((sound.sampleRate * rate.den * count) / rate.num)),
        container: 'mp4',
        encoder: H264_OPTIONS,
        filters: [...evenSides(width, height), ...pixelFilters(pixelsOf(bitDepth))],
        texts,
        signal,
      });
    },
    trim(start, length) {
      if (duration() < start + length) return Promise.resolve(undefined);
      const from = start < 0 ? Math.max(duration() + start, 0) : start;
      const rows = rowsBetween(count, rate, from, length);
      const pixels = data.length / Math.max(count, 1);
      const kept = tensor(
        [rows.end - rows.begin, ...shape.slice(1)],
        data.subarray(rows.begin * pixels, rows.end * pixels),
      );
      const trimmed: AudioSource = async (signal) => cutSound(await audio(signal), from, length);
      return Promise.resolve(
        framesVideo({ images: kept, audio: trimmed, frameRate: rate.num / rate.den, bitDepth }),
      );
    },
  };
}

/** In thousandths, as ComfyUI writes it into files. */
function thousandths(frameRate: number): { readonly num: number; readonly den: number } {
  return { num: roundHalfEven(frameRate * 1000), den: 1000 };
}

/** The frames whose time lies in a stretch, counted as the MP4 that ComfyUI makes of them counts time. */
function rowsBetween(
  count: number,
  { num, den }: { readonly num: number; readonly den: number },
  start: number,
  length: number,
): { readonly begin: number; readonly end: number } {
  // A track's units a second: the rate, doubled until there are ten thousand.
  const divisor = greatestCommonDivisor(num, den);
  let [units, frame] = [num / divisor, den / divisor];
  while (units < 10_000) [units, frame] = [units * 2, frame * 2];
  const first = Math.trunc(start * units);
  const end = length === 0 ? Infinity : Math.trunc((start + length) * units);
  const index = (time: number) => Math.min(count, Math.ceil(time / frame));
  return { begin: index(first), end: Math.max(index(first), index(end)) };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Whole samples of a stretch. */
export function cutSound(audio: Audio | undefined, start: number, length: number): Audio | undefined {
  if (audio === undefined) return undefined;
  const { waveform, sampleRate } = audio;
  const [rows, channels, count] = waveform.shape as readonly [number, number, number];
  const begin = Math.min(count, Math.max(0, Math.trunc(start * sampleRate)));
  const end = length === 0 ? count : Math.min(count, begin + Math.trunc(length * sampleRate));
  if (begin === 0 && end === count) return audio;
  if (begin === end) return undefined;
  const kept = tensor([rows, channels, end - begin]);
  for (let row = 0; row < rows * channels; row++) {
    kept.data.set(waveform.data.subarray(row * count + begin, row * count + end), row * (end - begin));
  }
  return { waveform: kept, sampleRate };
}

/** The first of a batch, as ffmpeg takes it, and no more samples than that. */
function soundOf({ waveform, sampleRate }: Audio, most: number): Sound {
  const [, channels, count] = waveform.shape as readonly [number, number, number];
  const kept = Math.min(count, most);
  const samples = new Float32Array(channels * kept);
  for (let channel = 0; channel < channels; channel++) {
    samples.set(waveform.data.subarray(channel * count, channel * count + kept), channel * kept);
  }
  return { channels, sampleRate, samples };
}

/** Frames as bytes: 8 bits a channel, or 16 from which 10 are made. */
function bytesOf(
  images: Image,
  rate: { readonly num: number; readonly den: number },
  bitDepth: number,
): FilmFrames {
  const rgb = rgbOf(images);
  const [count, height, width] = rgb.shape as readonly [number, number, number, number];
  const deep = bitDepth >= 10;
  const length = width * height * 3;
  return {
    width,
    height,
    count,
    rate: `${rate.num}/${rate.den}`,
    format: deep ? 'rgb48le' : 'rgb24',
    at: (index) =>
      deep ? deepBytes(rgb.data.subarray(index * length, (index + 1) * length)) : toPicture(rgb, index).data,
  };
}

function deepBytes(values: Float32Array): Uint8Array {
  const levels = Uint16Array.from(values, (value) => {
    const level = Math.fround(value * 65535);
    return level > 0 ? Math.min(level, 65535) : 0;
  });
  return new Uint8Array(levels.buffer);
}
