/** `latentd upscale INPUT OUTPUT`: enlarges a film or a picture with a model, and restores the faces in it. */
import { Command } from 'commander';
import { ConfigError } from '../config/config-error.js';
import { ModelError } from '../models/model-error.js';
import { cancelOnSignals } from './cancel-on-signals.js';
import { EXIT, UsageError } from './exit-codes.js';
import { addSettingOptions } from './setting-options.js';
import type { UpscaleFlags, UpscaleJson } from './upscale/flags.js';
import { jsonText, print, printJson, reportLines } from './terminal.js';

export function upscaleCommand(exit: (status: number) => void): Command {
  const command = new Command('upscale')
    .description('enlarge a film or a picture with a model, and restore faces')
    .argument('<INPUT>', 'a film (mp4, mov, mkv, webm, …) or a picture')
    .argument('<OUTPUT>', 'a film as mp4, mov, mkv or webm; a picture as png, jpg or webp')
    .option(
      '--model <NAME>',
      'from upscale_models; "none" keeps the size (default: the first one, else one for pixel art)',
    )
    .option('--faces <NAME>', 'restores faces with a model from facerestore_models, as CodeFormer')
    .option('--fidelity <X>', 'how close CodeFormer stays to the original face, 0 to 1 (default: 0.5)')
    .option('--detector <NAME>', 'what finds faces (default: retinaface_resnet50)')
    .option('--codec <NAME>', "h264, h265, prores or vp9 (default: the output's usual one)")
    .option(
      '--crf <N>',
      'quality, lower is better and larger (default: 18 for h264, 20 for h265, 24 for vp9)',
    )
    .option('--json', 'print one JSON object: status, output, width, height, frames, resumed, error');
  const settings = ['models', 'extraModelPaths', 'device', 'threads', 'precision', 'memoryLimit'] as const;
  return addSettingOptions(command, settings).action(
    async (input: string, output: string, options: UpscaleFlags) => {
      const { code, json } = await carryOut(input, output, options);
      if (options.json === true) printJson(json);
      else if (json.output !== undefined) print(json.output);
      if (json.error !== undefined) reportLines(`latentd: ${json.error.message}`);
      exit(code);
    },
  );
}

const STOPPED = { type: 'interrupted', message: 'stopped; the same command goes on where it was' };

interface Ended {
  readonly code: number;
  readonly json: UpscaleJson;
}

async function carryOut(input: string, output: string, options: UpscaleFlags): Promise<Ended> {
  const watch = cancelOnSignals();
  const ended = (code: number, status: UpscaleJson['status'], type: string, message: string): Ended => ({
    code,
    json: { status, error: { type, message } },
  });
  try {
    // Loaded here, so that `latentd --help` doesn't wait for it.
    const { upscaleFile } = await import('./upscale/upscale-file.js');
    const stopped = { status: 'interrupted', error: STOPPED } satisfies UpscaleJson;
    await watch.insist(options.json === true ? jsonText(stopped) : '');
    return { code: EXIT.done, json: await upscaleFile(input, output, options, watch.signal) };
  } catch (error) {
    if (error instanceof UsageError || error instanceof ConfigError || error instanceof ModelError) {
      return ended(EXIT.usage, 'invalid', 'usage', error.message);
    }
    if (watch.exitCode !== undefined) {
      return ended(watch.exitCode, 'interrupted', STOPPED.type, STOPPED.message);
    }
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return ended(EXIT.failed, 'error', name, message);
  } finally {
    watch.release();
  }
}
