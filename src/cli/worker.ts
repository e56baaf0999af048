/** `latentd worker --stdio`: an engine for the program that started it, which speaks with it by lines of JSON. */
import { Command } from 'commander';
import { ENGINE_SETTING_NAMES, type SettingName } from '../config/settings.js';
import { UsageError } from './exit-codes.js';
import { addSettingOptions } from './setting-options.js';
import type { WorkerFlags } from './worker/run-worker.js';

const WORKER_SETTING_NAMES: readonly SettingName[] = [
  ...ENGINE_SETTING_NAMES,
  'defaultModel',
  'maxUpload',
  'queueCapacity',
  'jobTimeLimit',
  'engineTimeout',
  'gracePeriod',
  'logLevel',
];

export function workerCommand(exit: (status: number) => void): Command {
  const command = new Command('worker')
    .description('work for a program that asks by lines of JSON')
    .argument('[TYPE]', 'what hosts call the kind of worker; every kind does everything')
    .option('--stdio', 'requests on standard input, answers on standard output')
    .option('--progress', 'tell how far every request is, not only those that ask for it');
  return addSettingOptions(command, WORKER_SETTING_NAMES).action(
    async (_type: string | undefined, options: WorkerFlags) => {
      if (options.stdio !== true) {
        throw new UsageError('latentd worker speaks over standard input and output: add --stdio');
      }
      // Loaded here, so that other commands don't wait for it.
      const { runWorker } = await import('./worker/run-worker.js');
      exit(await runWorker(options));
    },
  );
}
