/** `latentd cancel`: takes a job back. */
import { Command } from 'commander';
import { CLIENT_SETTING_NAMES } from '../config/settings.js';
import { EXIT } from './exit-codes.js';
import { addSettingOptions, type SettingOptions } from './setting-options.js';
import { print, reportLines } from './terminal.js';

export function cancelCommand(exit: (status: number) => void): Command {
  const command = new Command('cancel')
    .description('cancel a job of the daemon: at once while it waits, within one step while it runs')
    .argument('<JOB>', 'its id');
  return addSettingOptions(command, CLIENT_SETTING_NAMES).action(
    async (id: string, options: SettingOptions) => {
      const { withDaemon } = await import('./client/connection.js');
      exit(
        await withDaemon(options, async (connection) => {
          const reply = await connection.ask({ type: 'cancel', job_id: id });
          if (reply.type === 'job_cancelled') {
            print(`cancelled ${id}`);
            return EXIT.done;
          }
          reportLines(`latentd: ${String(reply['error'] ?? reply['message'])}`);
          return EXIT.failed;
        }),
      );
    },
  );
}
