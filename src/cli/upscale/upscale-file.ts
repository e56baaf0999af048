/** From a command line to a larger film or picture: settings, models, what becomes of a frame. */
import { statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { settingValues, type ResolvedSettings } from '../../config/resolve-settings.js';
import { createOnnxBackend } from '../../compute/onnx/backend.js';
import { completeName, type Folders } from '../../models/folders/folders.js';
import { STARTER } from '../../models/folders/starter.js';
import { createModelStore } from '../../models/open-models.js';
import { createProgramCache } from '../../models/programs/program-cache.js';
import { chooseOutput } from '../../video/codecs.js';
import { VideoError } from '../../video/video-error.js';
import { processFilm } from '../../video/film.js';
import { checkDevice } from '../check-device.js';
import { UsageError } from '../exit-codes.js';
import { openFolders } from '../open-folders.js';
import { settingsFrom } from '../setting-options.js';
import { notice } from '../terminal.js';
import type { UpscaleJson, UpscaleFlags } from './flags.js';
import { whyNotWritable } from '../writable.js';
import { openEnhancer } from './enhancer.js';
import { FilmBar } from './film-bar.js';
import { enhancePicture, PICTURE_EXTENSIONS } from './picture-file.js';

/** Throws `UsageError`, `ConfigError` or `ModelError` for what is asked for wrongly, and what the work itself throws. */
export async function upscaleFile(
  input: string,
  output: string,
  options: UpscaleFlags,
  signal: AbortSignal,
): Promise<UpscaleJson> {
  const { settings } = await settingsFrom(options);
  checkDevice(settings);
  const values = settingValues(settings);
  const { threads, precision, memoryLimit } = values;
  const paths = { input: resolve(input), output: resolve(output) };
  checkPaths(paths, options);
  const numbers = {
    crf: readNumber('--crf', options.crf, 0, 63),
    fidelity: readNumber('--fidelity', options.fidelity, 0, 1),
  };
  const backend = createOnnxBackend({ ...(threads !== undefined && { threads }), precision });
  const programs = createProgramCache(backend, memoryLimit === undefined ? {} : { limitBytes: memoryLimit });
  const folders = await openFolders(values);
  const bar = await FilmBar.open(process.stderr);
  const warn = (text: string): void => {
    bar.aside(() => {
      notice(`warning: ${text}`);
    });
  };
  const started = performance.now();
  try {
    await putStarter(folders, settings, options);
    const place = { folders, models: createModelStore({ programs, folders, warn }) };
    const enhancer = openEnhancer(place, { ...options, fidelity: numbers.fidelity });
    if (options.model === undefined && enhancer.model !== undefined) notice(`model ${enhancer.model}`);
    const seconds = (): number => (performance.now() - started) / 1000;
    if (isPicture(paths.output)) {
      const size = await enhancePicture({ ...paths, process: enhancer.process, signal, onWarning: warn });
      return { status: 'success', output: paths.output, ...size, seconds: seconds() };
    }
    const { crf } = numbers;
    const film = await processFilm({
      ...paths,
      process: enhancer.process,
      identity: enhancer.identity,
      signal,
      onWarning: warn,
      ...(options.codec !== undefined && { codec: options.codec }),
      ...(crf !== undefined && { crf }),
      onProgress: (progress) => {
        bar.see(progress);
      },
    });
    return { status: 'success', output: paths.output, ...film, seconds: seconds() };
  } finally {
    bar.stop();
    await programs.dispose();
  }
}

/**
 * Puts the package's tiny upscaler into the default models folder where no other is there, or it is asked for; a models folder that the
 * user named is never written to.
 */
async function putStarter(
  folders: Folders,
  { models }: ResolvedSettings,
  { model, faces }: UpscaleFlags,
): Promise<void> {
  const names = folders.list('upscale_models');
  const { upscaler } = STARTER;
  const asked = model !== undefined && completeName([upscaler], model) !== undefined;
  const wanted = asked
    ? !names.includes(upscaler)
    : model === undefined && faces === undefined && names.length === 0;
  if (!wanted || models.source !== 'default') return;
  const { putShipped } = await import('../../engine/available-checkpoint.js');
  if (putShipped(join('upscale_models', upscaler), models.value))
    notice(`${upscaler} is a tiny model for pixel art; put others beside it for more`);
}

function isPicture(path: string): boolean {
  return PICTURE_EXTENSIONS.includes(extname(path).toLowerCase());
}

function checkPaths(
  { input, output }: { readonly input: string; readonly output: string },
  { codec }: UpscaleFlags,
): void {
  if (statSync(input, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new UsageError(`there is no file ${input}`);
  }
  if (input === output) throw new UsageError('INPUT and OUTPUT are the same file');
  if (isPicture(input) && !isPicture(output)) {
    throw new UsageError(`${input} is a picture, so OUTPUT must be one: ${PICTURE_EXTENSIONS.join(', ')}`);
  }
  if (!isPicture(output)) {
    try {
      chooseOutput(output, codec);
    } catch (error) {
      throw error instanceof VideoError ? new UsageError(error.message) : error;
    }
  }
  if (statSync(output, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new UsageError(`OUTPUT ${output} is a folder; name a file in it`);
  }
  const reason = whyNotWritable(dirname(output));
  if (reason !== undefined) throw new UsageError(`the result can't go to ${dirname(output)}: ${reason}`);
}

function readNumber(flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= min && value <= max) return value;
  throw new UsageError(`${flag} must be a number from ${min} to ${max}, not ${JSON.stringify(text)}`);
}
