/** Sound as nodes work on it. */
import { tensor } from '../../compute/tensor.js';
import { resample } from '../../video/sound/resample.js';
import type { Audio, AudioSource } from '../values.js';

/** A source of sound that is there already; kept results count what it holds. */
export function heldAudio(audio: Audio | undefined): AudioSource {
  return Object.assign(() => Promise.resolve(audio), { audio });
}

export function shapeOf({ waveform }: Audio): readonly [rows: number, channels: number, samples: number] {
  return waveform.shape as readonly [number, number, number];
}

/** Each channel of each row made anew; all of them of one length. */
export function mapChannels(
  audio: Audio,
  sampleRate: number,
  change: (samples: Float32Array) => Float32Array,
): Audio {
  const [rows, channels, count] = shapeOf(audio);
  const changed = Array.from({ length: rows * channels }, (_, index) =>
    change(audio.waveform.data.subarray(index * count, (index + 1) * count)),
  );
  const length = changed[0]?.length ?? 0;
  const waveform = tensor([rows, channels, length]);
  changed.forEach((samples, index) => {
    waveform.data.set(samples, index * length);
  });
  return { waveform, sampleRate };
}

export function resampled(audio: Audio, sampleRate: number): Audio {
  if (audio.sampleRate === sampleRate) return audio;
  return mapChannels(audio, sampleRate, (samples) => resample(samples, audio.sampleRate, sampleRate));
}

/** Both at the higher of their rates. */
export function atOneRate(first: Audio, second: Audio): readonly [Audio, Audio] {
  const rate = Math.max(first.sampleRate, second.sampleRate);
  return [resampled(first, rate), resampled(second, rate)];
}
