/** Sound from files (ComfyUI-VideoHelperSuite, nodes.py, LoadAudio). */
import { extname } from 'node:path';
import type { Folders } from '../../models/folders/folders.js';
import type { Excerpt } from '../../video/audio.js';
import { probeSound } from '../../video/video-info.js';
import type { RunContext } from '../context.js';
import { combo, defineNode, float, string } from '../definition.js';
import { FILM_CATEGORY } from './film-sampling.js';
import { fileStamp, rejectMissing, resolveFilmPath } from '../files/input-files.js';
import { readAudio } from './read-audio.js';

const category = `${FILM_CATEGORY}/audio`;
const EXTENSIONS = new Set(['.mp3', '.mp4', '.wav', '.ogg']);
/** Seconds. */
const LONGEST = 10_000_000;

async function loadAudio(path: string, excerpt: Excerpt, { signal }: RunContext) {
  const audio = await readAudio(await probeSound(path), excerpt, signal);
  const seconds = audio === undefined ? 0 : audio.waveform.shape[2]! / audio.sampleRate;
  return { outputs: [() => Promise.resolve(audio), seconds] as const };
}

const outputs = [
  { type: 'AUDIO', name: 'audio' },
  { type: 'FLOAT', name: 'duration', tooltip: 'Seconds.' },
] as const;

function fingerprint(name: string | undefined, folders: Folders): string {
  return name === undefined ? '' : fileStamp(resolveFilmPath(name, folders));
}

const duration = float({
  default: 0,
  min: 0,
  max: LONGEST,
  step: 0.01,
  tooltip: 'Seconds to take; 0 for all that is left.',
});

export const vhsLoadAudio = defineNode({
  name: 'VHS_LoadAudio',
  displayName: 'Load Audio (Path)🎥🅥🅗🅢',
  category,
  description: 'Loads the sound of a file in the input folder, films included.',
  required: {
    audio_file: string({
      default: 'input/',
      tooltip: 'A path in the input folder, absolute or relative to it.',
    }),
  },
  optional: {
    seek_seconds: float({
      default: 0,
      min: 0,
      max: Infinity,
      tooltip: 'Seconds to leave out at the beginning.',
    }),
    duration,
  },
  outputs,
  fingerprint: ({ audio_file }, folders) => fingerprint(audio_file, folders),
  run: ({ audio_file, seek_seconds: start = 0, duration = 0 }, context) =>
    loadAudio(resolveFilmPath(audio_file, context.folders), { start, duration }, context),
});

export const vhsLoadAudioUpload = defineNode({
  name: 'VHS_LoadAudioUpload',
  displayName: 'Load Audio (Upload)🎥🅥🅗🅢',
  category,
  description: 'Loads the sound of a file in the input folder, films included.',
  required: {
    audio: combo((folders) => folders.listInput().filter((name) => EXTENSIONS.has(extname(name))), {
      reject: rejectMissing,
      tooltip: 'A file in the input folder, or NAME [output] and NAME [temp].',
    }),
  },
  optional: {
    start_time: float({
      default: 0,
      min: 0,
      max: LONGEST,
      step: 0.01,
      tooltip: 'Seconds to leave out at the beginning.',
    }),
    duration,
  },
  outputs,
  fingerprint: ({ audio }, folders) => fingerprint(audio, folders),
  run: ({ audio, start_time: start = 0, duration = 0 }, context) =>
    loadAudio(resolveFilmPath(audio, context.folders), { start, duration }, context),
});
