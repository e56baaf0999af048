/** ffmpeg and ffprobe, which films alone need. */
import { fileURLToPath } from 'node:url';
import { AUDIO_ENCODERS, CODECS, ENCODERS } from '../../video/codecs.js';
import { availableEncoders, ffmpegVersion, ffprobe, HOW_TO_INSTALL } from '../../video/ffmpeg.js';
import { VideoError } from '../../video/video-error.js';
import { ok, warning, type Check } from './check.js';

const NAME = 'ffmpeg';
const REMEDY =
  'nothing to do unless you want films: apt-get install -y ffmpeg, or name the programs in FFMPEG_PATH and FFPROBE_PATH';

/** Whether both programs run, and whether ffmpeg can write what `latentd upscale` offers. */
export async function checkFfmpeg(): Promise<Check> {
  try {
    const version = await ffmpegVersion();
    await checkFfprobe();
    const encoders = await availableEncoders();
    const missing = [
      ...CODECS.filter((codec) => !encoders.has(ENCODERS[codec])).map(
        (codec) => `${ENCODERS[codec]} (${codec})`,
      ),
      ...AUDIO_ENCODERS.filter((name) => !encoders.has(name)).map((name) => `${name} (sound)`),
    ];
    const found = version === '0.0' ? 'a build without version' : version;
    return missing.length === 0
      ? ok(NAME, `${found}, with ffprobe; writes ${CODECS.join(', ')}`)
      : warning(NAME, `${found}, without ${missing.join(', ')}`, 'install a build of ffmpeg that has them');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message === HOW_TO_INSTALL
      ? warning(NAME, "ffmpeg or ffprobe isn't there; only films need them", REMEDY)
      : warning(NAME, `doesn't work: ${message}`, REMEDY);
  }
}

/** It runs if it says of a file that is no film that it is none. */
async function checkFfprobe(): Promise<void> {
  try {
    await ffprobe(fileURLToPath(import.meta.url));
  } catch (error) {
    if (!(error instanceof VideoError && /Invalid data/.test(error.message))) throw error;
  }
}
