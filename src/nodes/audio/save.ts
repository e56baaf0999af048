/** Sound to files, with the workflow inside (ComfyUI comfy_api/latest/_ui.py, AudioSaveHelper). */
import { writeSound } from '../video/core/write-film.js';
import type { RunContext } from '../context.js';
import { combo, defineNode, dynamicCombo, link, string, type SavedFile } from '../definition.js';
import { openSeries, saveWritten } from '../files/output-files.js';
import { previewPrefix } from '../files/saved-images.js';
import type { Audio, AudioSource } from '../values.js';
import { resampled, shapeOf } from './sound.js';

const category = 'audio';

const MP3_QUALITIES = ['V0', '128k', '320k'] as const;
const OPUS_QUALITIES = ['64k', '96k', '128k', '192k', '320k'] as const;
/** Hertz. */
const OPUS_RATES = [8000, 12000, 16000, 24000, 48000];

interface SoundForm {
  readonly format: 'flac' | 'mp3' | 'opus';
  readonly quality?: string;
}

function encoderOf({ format, quality = '' }: SoundForm): readonly string[] {
  // 24 bits lie in FLAC's 32; ffmpeg's own choice for floats is the same.
  if (format === 'flac') return ['-c:a', 'flac'];
  if (format === 'opus') return ['-c:a', 'libopus', '-b:a', quality];
  return ['-c:a', 'libmp3lame', ...(quality === 'V0' ? ['-q:a', '0'] : ['-b:a', quality])];
}

/** Opus knows five rates: the next higher one, and 48 kHz for all above. */
function inFormat(audio: Audio, { format }: SoundForm): Audio {
  if (format !== 'opus') return audio;
  return resampled(audio, OPUS_RATES.find((rate) => rate >= audio.sampleRate) ?? 48000);
}

interface Saving {
  readonly type: 'output' | 'temp';
  readonly prefix: string;
  readonly form: SoundForm;
}

/** Each row of a batch a file. */
async function saved(
  source: AudioSource,
  { type, prefix, form }: Saving,
  { folders, metadata, signal }: RunContext,
): Promise<{ readonly audio: readonly SavedFile[] }> {
  const given = await source(signal);
  if (given === undefined)
    throw new Error('there is no sound to save: the film that it comes from is silent');
  const { waveform, sampleRate } = inFormat(given, form);
  const [rows, channels, count] = shapeOf({ waveform, sampleRate });
  if (channels > 2) throw new RangeError(`a sound of 1 or 2 channels can be saved, this one has ${channels}`);
  const series = await openSeries(type, folders[type], prefix, { width: 0, height: 0 });
  const files: SavedFile[] = [];
  let { counter } = series;
  for (let row = 0; row < rows; row++) {
    const samples = waveform.data.subarray(row * channels * count, (row + 1) * channels * count);
    const name = { counter, batch: row, extension: `.${form.format}`, separator: '' } as const;
    const one = await saveWritten(series, name, (path) =>
      writeSound(path, {
        sound: { channels, sampleRate, samples },
        container: form.format,
        encoder: encoderOf(form),
        texts: metadata,
        signal,
      }),
    );
    files.push(one.file);
    counter = one.counter + 1;
  }
  return { audio: files };
}

const audio = link('AUDIO', { tooltip: 'The sound.' });
const filename_prefix = string({
  default: 'audio/ComfyUI',
  tooltip: 'What file names begin with; may hold subfolders.',
});
const outputs = [{ type: 'AUDIO', name: 'audio', tooltip: 'The sound, as it came.' }] as const;
const mp3Quality = combo(MP3_QUALITIES, {
  default: 'V0',
  tooltip: 'V0 is a varying rate, the best of LAME.',
});
const opusQuality = combo(OPUS_QUALITIES, { default: '128k', tooltip: 'Bits a second.' });

export const saveAudio = defineNode({
  name: 'SaveAudio',
  displayName: 'Save Audio (FLAC) (DEPRECATED)',
  category,
  description: 'Saves sound as FLAC.',
  required: { audio, filename_prefix },
  optional: {},
  outputs,
  outputNode: true,
  async run({ audio: source, filename_prefix: prefix }, context) {
    const ui = await saved(source, { type: 'output', prefix, form: { format: 'flac' } }, context);
    return { outputs: [source], ui };
  },
});

export const saveAudioMp3 = defineNode({
  name: 'SaveAudioMP3',
  displayName: 'Save Audio (MP3) (DEPRECATED)',
  category,
  description: 'Saves sound as MP3.',
  required: { audio, filename_prefix, quality: mp3Quality },
  optional: {},
  outputs,
  outputNode: true,
  async run({ audio: source, filename_prefix: prefix, quality }, context) {
    const ui = await saved(source, { type: 'output', prefix, form: { format: 'mp3', quality } }, context);
    return { outputs: [source], ui };
  },
});

export const saveAudioOpus = defineNode({
  name: 'SaveAudioOpus',
  displayName: 'Save Audio (Opus) (DEPRECATED)',
  category,
  description: 'Saves sound as Opus.',
  required: { audio, filename_prefix, quality: opusQuality },
  optional: {},
  outputs,
  outputNode: true,
  async run({ audio: source, filename_prefix: prefix, quality }, context) {
    const ui = await saved(source, { type: 'output', prefix, form: { format: 'opus', quality } }, context);
    return { outputs: [source], ui };
  },
});

export const saveAudioAdvanced = defineNode({
  name: 'SaveAudioAdvanced',
  displayName: 'Save Audio (Advanced)',
  category,
  description: 'Saves sound as FLAC, MP3 or Opus.',
  required: {
    audio,
    filename_prefix,
    format: dynamicCombo(
      { flac: {}, mp3: { required: { quality: mp3Quality } }, opus: { required: { quality: opusQuality } } },
      { tooltip: 'The form of the file.' },
    ),
  },
  optional: {},
  outputs,
  outputNode: true,
  async run({ audio: source, filename_prefix: prefix, format: form }, context) {
    return { outputs: [source], ui: await saved(source, { type: 'output', prefix, form }, context) };
  },
});

export const previewAudio = defineNode({
  name: 'PreviewAudio',
  displayName: 'Preview Audio',
  category,
  description: 'Saves sound as FLAC in the temp folder.',
  required: { audio },
  optional: {},
  outputs,
  outputNode: true,
  async run({ audio: source }, context) {
    const ui = await saved(
      source,
      { type: 'temp', prefix: previewPrefix(), form: { format: 'flac' } },
      context,
    );
    return { outputs: [source], ui };
  },
});
