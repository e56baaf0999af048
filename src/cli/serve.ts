/** `latentd serve`: the daemon, until a signal ends it. */
import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { SETTING_NAMES } from '../config/settings.js';
import { addSettingOptions, type SettingOptions } from './setting-options.js';

export function serveCommand(exit: (status: number) => void): Command {
  const command = new Command('serve').description(
    'run the daemon: a queue of jobs, and clients over ZeroMQ',
  );
  return addSettingOptions(command, SETTING_NAMES).action(async (options: SettingOptions) => {
    // Hardly anything that a request allocates outlives it, so a small young generation serves as well: V8 would let it grow,
    // and keep 15 MB more after a busy hour.
    setFlagsFromString('--semi-space-growth-factor=1');
    // Loaded here, so that other commands don't wait for it.
    const { serve } = await import('./serve/serve.js');
    exit(await serve(options));
  });
}
