/** Sound as samples. */
import { buffer } from 'node:stream/consumers';
import { startFfmpeg, USER_FILE_OPTIONS } from './ffmpeg.js';
import type { AudioStream, SoundInfo } from './video-info.js';

export interface Sound {
  readonly channels: number;
  /** Hertz. */
  readonly sampleRate: number;
  /** One channel after the other, in [−1, 1]. */
  readonly samples: Float32Array;
}

/** Seconds of a file. */
export interface Excerpt {
  readonly start: number;
  /** 0 for all that is left. */
  readonly duration: number;
}

/** Which of several: the one that ffmpeg takes by itself, or by its place in the file. */
export type SoundChoice = 'preferred' | 'first' | 'last';

const WHOLE: Excerpt = { start: 0, duration: 0 };

/** A file's sound; undefined where it has none. Rejects with `VideoError`, and with the signal's reason. */
export async function readSound(
  info: SoundInfo,
  excerpt: Partial<Excerpt>,
  signal: AbortSignal,
  choice: SoundChoice = 'preferred',
): Promise<Sound | undefined> {
  const { start, duration } = { ...WHOLE, ...excerpt };
  const stream = chosen(info.audio, choice);
  if (stream === undefined || stream.channels < 1) return undefined;
  signal.throwIfAborted();
  const { channels, sampleRate } = stream;
  const job = startFfmpeg({
    inputs: [{ path: info.path, options: USER_FILE_OPTIONS }],
    output: {
      options: [
        ...['-map', `0:${stream.index}`, '-vn'],
        ...(start > 0 ? ['-ss', String(start)] : []),
        ...(duration > 0 ? ['-t', String(duration)] : []),
        ...['-c:a', 'pcm_f32le', '-f', 'f32le'],
      ],
    },
  });
  const stop = (): void => {
    job.kill();
  };
  signal.addEventListener('abort', stop);
  try {
    const bytes = await buffer(job.stdout);
    await job.done;
    return { channels, sampleRate, samples: apart(bytes, channels) };
  } finally {
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
  }
}

function chosen(streams: readonly AudioStream[], choice: SoundChoice): AudioStream | undefined {
  return choice === 'preferred' ? preferred(streams) : streams.at(choice === 'first' ? 0 : -1);
}

/** The default one, else the one of most channels, else the first (ffmpeg's choice of streams). */
function preferred(streams: readonly AudioStream[]): AudioStream | undefined {
  const score = ({ isDefault, channels }: AudioStream): number => (isDefault ? 5_000_000 : 0) + channels;
  return streams.reduce<AudioStream | undefined>(
    (best, stream) => (best === undefined || score(stream) > score(best) ? stream : best),
    undefined,
  );
}

/** Interleaved samples, one channel after the other. */
function apart(bytes: Buffer, channels: number): Float32Array {
  const count = Math.floor(bytes.length / 4 / channels);
  const interleaved = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + count * channels * 4),
  );
  const samples = new Float32Array(count * channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < count; i++) samples[channel * count + i] = interleaved[i * channels + channel]!;
  }
  return samples;
}

/** The same back, as bytes for ffmpeg. */
export function interleaved({ channels, samples }: Sound): Buffer {
  const count = samples.length / channels;
  const mixed = new Float32Array(samples.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < count; i++) mixed[i * channels + channel] = samples[channel * count + i]!;
  }
  return Buffer.from(mixed.buffer);
}
