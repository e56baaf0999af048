/** What ffmpeg's options are called in the version that is installed. */
import { ffmpegVersion } from './ffmpeg.js';

/** `5.1.9` is at least 5.1; a build without a version is a new one. */
async function isAtLeast(major: number, minor: number): Promise<boolean> {
  const [ownMajor = 0, ownMinor = 0] = (await ffmpegVersion()).split('.').map(Number);
  return ownMajor === 0 || ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** Every frame as it comes, none left out or doubled to keep a rate. */
export async function passthroughOptions(): Promise<readonly string[]> {
  return (await isAtLeast(5, 1)) ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough'];
}

/** How a copied video stream is told to be turned by `degrees`, counter-clockwise: what goes before the input, and before the output. */
export async function rotationOptions(
  degrees: number,
): Promise<{ readonly input: readonly string[]; readonly output: readonly string[] }> {
  if (degrees === 0) return { input: [], output: [] };
  return (await isAtLeast(6, 0))
    ? { input: ['-display_rotation:v:0', String(degrees)], output: [] }
    : { input: [], output: ['-metadata:s:v:0', `rotate=${(360 + degrees) % 360}`] };
}
