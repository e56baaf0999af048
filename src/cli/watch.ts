/** `latentd watch`: what the daemon does, as it does it. */
import { Command } from 'commander';
import { CLIENT_SETTING_NAMES } from '../config/settings.js';
import { addSettingOptions } from './setting-options.js';
import type { WatchFlags } from './client/watch-flags.js';

export function watchCommand(exit: (status: number) => void): Command {
  const command = new Command('watch')
    .description('print what the daemon does as it happens; with a job, until that job is over')
    .argument('[JOB]', 'id of a job, or what it begins with')
    .option('--json', 'print one JSON object a line, as the protocol has them');
  return addSettingOptions(command, CLIENT_SETTING_NAMES).action(
    async (id: string | undefined, options: WatchFlags) => {
      const { watch } = await import('./client/watch.js');
      exit(await watch(id, options));
    },
  );
}
