/** Sound from files (ComfyUI comfy_extras/nodes_audio.py). */
import { VideoError } from '../../video/video-error.js';
import { probeSound } from '../../video/video-info.js';
import { combo, defineNode, float, int, widget } from '../definition.js';
import { contentHash, rejectMissing } from '../files/input-files.js';
import { isFilmName, isSoundName } from '../files/media-kinds.js';
import { tensor } from '../../compute/tensor.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import type { RunContext } from '../context.js';
import { readAudio } from '../video/read-audio.js';
import type { AudioSource } from '../values.js';
import { heldAudio } from './sound.js';

const category = 'audio';
const LONGEST = 2 ** 64;

async function load(name: string, { folders, signal }: RunContext): Promise<AudioSource> {
  const info = await probeSound(folders.resolveInput(name));
  const audio = await readAudio(info, {}, signal, 'first');
  if (audio === undefined || audio.waveform.data.length === 0) {
    throw new VideoError(`${info.path} holds no sound that can be read`);
  }
  return heldAudio(audio);
}

export const loadAudioFile = defineNode({
  name: 'LoadAudio',
  displayName: 'Load Audio',
  category,
  description: 'Loads the sound of a file in the input folder, films included.',
  required: {
    audio: combo((folders) => folders.listInput().filter((name) => isSoundName(name) || isFilmName(name)), {
      reject: rejectMissing,
      tooltip: 'A file in the input folder, or NAME [output] and NAME [temp].',
    }),
  },
  optional: {},
  outputs: [{ type: 'AUDIO', name: 'AUDIO' }],
  fingerprint: ({ audio }, folders) => contentHash(folders.resolveInput(audio)),
  tellsFingerprint: true,
  run: async ({ audio }, context) => ({ outputs: [await load(audio, context)] }),
});

export const recordAudio = defineNode({
  name: 'RecordAudio',
  displayName: 'Record Audio',
  category,
  description: 'Sound that an editor has recorded, from the input folder.',
  required: { audio: widget('AUDIO_RECORD', { tooltip: 'The name of the recording.' }) },
  optional: {},
  outputs: [{ type: 'AUDIO', name: 'AUDIO' }],
  async run({ audio }, context) {
    if (typeof audio !== 'string' || audio === '') {
      throw new VideoError('there is no recording: put a file into the input folder and name it in `audio`');
    }
    return { outputs: [await load(audio, context)] };
  },
});

export const emptyAudio = defineNode({
  name: 'EmptyAudio',
  displayName: 'Empty Audio',
  category,
  description: 'Silence.',
  required: {
    duration: float({ default: 60, min: 0, max: LONGEST, step: 0.01, tooltip: 'Seconds.' }),
    sample_rate: int({ default: 44100, min: 1, max: 192000, tooltip: 'Samples a second.' }),
    channels: int({ default: 2, min: 1, max: 2, tooltip: '1 for mono, 2 for stereo.' }),
  },
  optional: {},
  outputs: [{ type: 'AUDIO', name: 'AUDIO' }],
  run({ duration, sample_rate: sampleRate, channels }) {
    const count = roundHalfEven(duration * sampleRate);
    return { outputs: [heldAudio({ waveform: tensor([1, channels, count]), sampleRate })] };
  },
});
