/** `latentd serve`: the daemon, until a signal ends it. */
import { Command } from 'commander';
import { SETTING_NAMES } from '../config/settings.js';
import { addSettingOptions, type SettingOptions } from './setting-options.js';

export function serveCommand(exit: (status: number) => void): Command {
  const command = new Command('serve').description(
    'run the daemon: a queue of jobs, and clients over ZeroMQ',
  );
  return addSettingOptions(command, SETTING_NAMES).action(async (options: SettingOptions) => {
    // Loaded here, so that other commands don't wait for it.
    const { serve } = await import('./serve/serve.js');
    exit(await serve(options));
  });
}
