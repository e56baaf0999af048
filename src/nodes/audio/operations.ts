/** Sound cut, joined, mixed and made louder (ComfyUI comfy_extras/nodes_audio.py). None of them does anything where there is none. */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { applyBand, type Band } from '../../video/sound/equalizer.js';
import { combo, defineNode, float, int, link } from '../definition.js';
import type { Audio, AudioSource } from '../values.js';
import { atOneRate, heldAudio, mapChannels, shapeOf } from './sound.js';

const category = 'audio';
const LONGEST = 2 ** 64;
const audio = link('AUDIO', { tooltip: 'The sound.' });
const output = [{ type: 'AUDIO', name: 'AUDIO' }] as const;

async function changed(
  source: AudioSource,
  signal: AbortSignal,
  change: (audio: Audio) => Audio,
): Promise<readonly [AudioSource]> {
  const given = await source(signal);
  return [given === undefined ? source : heldAudio(change(given))];
}

/** One where the other is missing. */
async function joined(
  first: AudioSource,
  second: AudioSource,
  signal: AbortSignal,
  join: (first: Audio, second: Audio) => Audio,
): Promise<readonly [AudioSource]> {
  const [one, other] = [await first(signal), await second(signal)];
  if (one === undefined) return [second];
  return [other === undefined ? first : heldAudio(join(one, other))];
}

/** Samples `begin` to `end` of every channel. */
function cut(source: Audio, begin: number, end: number): Audio {
  return mapChannels(source, source.sampleRate, (samples) => samples.subarray(begin, end));
}

/** Channel `index` alone, or several after each other. */
function withChannelsOf(source: Audio, indices: readonly number[]): Audio {
  const [rows, channels, count] = shapeOf(source);
  const waveform = tensor([rows, indices.length, count]);
  for (let row = 0; row < rows; row++) {
    indices.forEach((index, at) => {
      const from = (row * channels + index) * count;
      waveform.data.set(
        source.waveform.data.subarray(from, from + count),
        (row * indices.length + at) * count,
      );
    });
  }
  return { waveform, sampleRate: source.sampleRate };
}

/** Along channels or samples; the other extents are alike. Throws `RangeError` where they aren't. */
function concatenated(parts: readonly Tensor[], along: 'channels' | 'samples'): Tensor {
  const axis = along === 'channels' ? 1 : 2;
  const [first] = parts as readonly [Tensor, ...Tensor[]];
  const differs = parts.some(({ shape }) =>
    shape.some((extent, at) => at !== axis && extent !== first.shape[at]),
  );
  if (differs) {
    const shapes = parts.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ');
    throw new RangeError(
      `sounds of ${shapes} (rows, channels, samples) can't be joined: only ${along} may differ`,
    );
  }
  const shape = first.shape.map((extent, at) =>
    at === axis ? parts.reduce((sum, part) => sum + part.shape[at]!, 0) : extent,
  );
  const result = tensor(shape);
  const outer = axis === 1 ? shape[0]! : shape[0]! * shape[1]!;
  let to = 0;
  for (let row = 0; row < outer; row++) {
    for (const { data } of parts) {
      const length = data.length / outer;
      result.data.set(data.subarray(row * length, (row + 1) * length), to);
      to += length;
    }
  }
  return result;
}

export const trimAudioDuration = defineNode({
  name: 'TrimAudioDuration',
  displayName: 'Trim Audio Duration',
  category,
  description: 'A stretch of the sound.',
  required: {
    audio,
    start_index: float({
      default: 0,
      min: -LONGEST,
      max: LONGEST,
      step: 0.01,
      tooltip: 'Seconds; from the end where negative.',
    }),
    duration: float({ default: 60, min: 0, max: Infinity, step: 0.01, tooltip: 'Seconds.' }),
  },
  optional: {},
  outputs: output,
  run: async ({ audio: source, start_index, duration }, { signal }) => ({
    outputs: await changed(source, signal, (given) => {
      const [, , count] = shapeOf(given);
      if (count === 0) return given;
      const within = (sample: number) => Math.min(Math.max(sample, 0), count);
      const asked = roundHalfEven(start_index * given.sampleRate);
      const begin = within(start_index < 0 ? count + asked : asked);
      const end = within(begin + roundHalfEven(duration * given.sampleRate));
      if (begin < end) return cut(given, begin, end);
      throw new RangeError(
        `nothing is left of ${count / given.sampleRate} seconds of sound: start_index ${start_index} and duration ${duration} must name a stretch of it`,
      );
    }),
  }),
});

export const splitAudioChannels = defineNode({
  name: 'SplitAudioChannels',
  displayName: 'Split Audio Channels',
  category,
  description: 'Left and right, each by itself.',
  required: { audio },
  optional: {},
  outputs: [
    { type: 'AUDIO', name: 'left' },
    { type: 'AUDIO', name: 'right' },
  ],
  async run({ audio: source }, { signal }) {
    const given = await source(signal);
    if (given === undefined) return { outputs: [source, source] };
    const [, channels] = shapeOf(given);
    if (channels !== 2) throw new RangeError(`a sound of 2 channels is needed, this one has ${channels}`);
    return { outputs: [heldAudio(withChannelsOf(given, [0])), heldAudio(withChannelsOf(given, [1]))] };
  },
});

export const joinAudioChannels = defineNode({
  name: 'JoinAudioChannels',
  displayName: 'Join Audio Channels',
  category,
  description:
    'Two sounds of one channel as left and right, at the higher of their rates and as long as the shorter.',
  required: {
    audio_left: link('AUDIO', { tooltip: 'The left one.' }),
    audio_right: link('AUDIO', { tooltip: 'The right one.' }),
  },
  optional: {},
  outputs: [{ type: 'AUDIO', name: 'audio' }],
  run: async ({ audio_left, audio_right }, { signal }) => ({
    outputs: await joined(audio_left, audio_right, signal, (one, other) => {
      const channels = [shapeOf(one)[1], shapeOf(other)[1]];
      if (channels.some((count) => count !== 1)) {
        throw new RangeError(`sounds of 1 channel are needed, these have ${channels.join(' and ')}`);
      }
      const [left, right] = atOneRate(one, other);
      const length = Math.min(shapeOf(left)[2], shapeOf(right)[2]);
      const parts = [left, right].map((part) => cut(part, 0, length).waveform);
      return { waveform: concatenated(parts, 'channels'), sampleRate: left.sampleRate };
    }),
  }),
});

export const audioConcat = defineNode({
  name: 'AudioConcat',
  displayName: 'Concatenate Audio',
  category,
  description: 'One sound after the other, at the higher of their rates; mono becomes stereo.',
  required: {
    audio1: link('AUDIO', { tooltip: 'The sound that the other is put to.' }),
    audio2: link('AUDIO', { tooltip: 'The other.' }),
    direction: combo(['after', 'before'], { default: 'after', tooltip: 'Where the second comes.' }),
  },
  optional: {},
  outputs: output,
  run: async ({ audio1, audio2, direction }, { signal }) => ({
    outputs: await joined(audio1, audio2, signal, (one, other) => {
      const stereo = (given: Audio) => (shapeOf(given)[1] === 1 ? withChannelsOf(given, [0, 0]) : given);
      const [first, second] = atOneRate(stereo(one), stereo(other));
      const order = direction === 'after' ? [first, second] : [second, first];
      const waveform = concatenated(
        order.map((part) => part.waveform),
        'samples',
      );
      return { waveform, sampleRate: first.sampleRate };
    }),
  }),
});

const { fround } = Math;
const MIXES = {
  add: (a: number, b: number) => a + b,
  mean: (a: number, b: number) => fround(a + b) / 2,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
} as const;

/** Over each other, as long as the first, and no louder than can be. Channels and rows of one are used for all. */
function mixed(first: Audio, second: Audio, method: keyof typeof MIXES): Audio {
  const [, , count] = shapeOf(first);
  const [, , otherCount] = shapeOf(second);
  if (count === 0 || otherCount === 0) return first;
  const [a, b] = [first.waveform.shape, second.waveform.shape];
  const [rows, channels] = [Math.max(a[0]!, b[0]!), Math.max(a[1]!, b[1]!)];
  const fits = [a, b].every((shape) => [1, rows].includes(shape[0]!) && [1, channels].includes(shape[1]!));
  if (!fits)
    throw new RangeError(
      `sounds of ${a[1]} and ${b[1]} channels can't be mixed: make their channels as many`,
    );
  const waveform = tensor([rows, channels, count]);
  const place = (shape: readonly number[], row: number, channel: number) =>
    ((row % shape[0]!) * shape[1]! + (channel % shape[1]!)) * shape[2]!;
  const mix = MIXES[method];
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      const [from, other, to] = [
        place(a, row, channel),
        place(b, row, channel),
        (row * channels + channel) * count,
      ];
      for (let i = 0; i < count; i++) {
        const added = i < otherCount ? second.waveform.data[other + i]! : 0;
        waveform.data[to + i] = mix(first.waveform.data[from + i]!, added);
      }
    }
  }
  const loudest = waveform.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (loudest > 1) waveform.data.forEach((value, at) => (waveform.data[at] = value / loudest));
  return { waveform, sampleRate: first.sampleRate };
}

export const audioMerge = defineNode({
  name: 'AudioMerge',
  displayName: 'Merge Audio',
  category,
  description: 'Two sounds at once, at the higher of their rates and as long as the first.',
  required: {
    audio1: link('AUDIO', { tooltip: 'The first.' }),
    audio2: link('AUDIO', { tooltip: 'The second, cut or filled up with silence.' }),
    merge_method: combo(['add', 'mean', 'subtract', 'multiply'], { tooltip: 'What becomes of two samples.' }),
  },
  optional: {},
  outputs: output,
  run: async ({ audio1, audio2, merge_method }, { signal }) => ({
    outputs: await joined(audio1, audio2, signal, (one, other) =>
      mixed(...atOneRate(one, other), merge_method),
    ),
  }),
});

export const audioAdjustVolume = defineNode({
  name: 'AudioAdjustVolume',
  displayName: 'Adjust Audio Volume',
  category,
  description: 'Louder or quieter.',
  required: {
    audio,
    volume: int({ default: 1, min: -100, max: 100, tooltip: 'Decibels: 6 is twice as loud, −6 half.' }),
  },
  optional: {},
  outputs: output,
  run: async ({ audio: source, volume }, { signal }) => ({
    outputs: await changed(source, signal, (given) => {
      const gain = 10 ** (volume / 20);
      return mapChannels(given, given.sampleRate, (samples) => samples.map((value) => value * fround(gain)));
    }),
  }),
});

const gain = (band: string) =>
  float({ default: 0, min: -24, max: 24, step: 0.1, tooltip: `Decibels of ${band} frequencies.` });

export const audioEqualizer = defineNode({
  name: 'AudioEqualizer3Band',
  displayName: 'Audio Equalizer (3-Band)',
  category,
  description: 'Low, middle and high frequencies made louder or quieter.',
  required: {
    audio,
    low_gain_dB: gain('low'),
    low_freq: int({ default: 100, min: 20, max: 500, tooltip: 'Hertz; lower ones are low.' }),
    mid_gain_dB: gain('middle'),
    mid_freq: int({ default: 1000, min: 200, max: 4000, tooltip: 'Hertz, the middle of them.' }),
    mid_q: float({
      default: 0.707,
      min: 0.1,
      max: 10,
      step: 0.1,
      tooltip: 'Higher takes fewer around the middle.',
    }),
    high_gain_dB: gain('high'),
    high_freq: int({ default: 5000, min: 1000, max: 15000, tooltip: 'Hertz; higher ones are high.' }),
  },
  optional: {},
  outputs: output,
  run: async ({ audio: source, ...inputs }, { signal }) => ({
    outputs: await changed(source, signal, (given) => {
      const bands: readonly Band[] = [
        { kind: 'low shelf', gain: inputs.low_gain_dB, frequency: inputs.low_freq, q: 0.707 },
        { kind: 'peak', gain: inputs.mid_gain_dB, frequency: inputs.mid_freq, q: inputs.mid_q },
        { kind: 'high shelf', gain: inputs.high_gain_dB, frequency: inputs.high_freq, q: 0.707 },
      ];
      return bands
        .filter((band) => band.gain !== 0)
        .reduce(
          (sound, band) =>
            mapChannels(sound, sound.sampleRate, (samples) =>
              applyBand(samples, sound.sampleRate, band, samples.length === sound.waveform.data.length),
            ),
          given,
        );
    }),
  }),
});
