/** Sound as nodes hand it on. */
import { tensor } from '../../compute/tensor.js';
import { readSound, type Excerpt, type SoundChoice } from '../../video/audio.js';
import type { SoundInfo } from '../../video/video-info.js';
import type { Audio } from '../values.js';

/** Undefined where there is none. Rejects as `readSound`. */
export async function readAudio(
  info: SoundInfo,
  excerpt: Partial<Excerpt>,
  signal: AbortSignal,
  choice?: SoundChoice,
): Promise<Audio | undefined> {
  const sound = await readSound(info, excerpt, signal, choice);
  if (sound === undefined) return undefined;
  const { samples, channels, sampleRate } = sound;
  return { waveform: tensor([1, channels, samples.length / channels], samples), sampleRate };
}
