/** `latentd pull REFERENCE…`: fetches model files into the models folder. */
import { Command } from 'commander';
import { PULL_SETTING_NAMES } from '../config/settings.js';
import { cancelOnSignals } from './cancel-on-signals.js';
import { EXIT } from './exit-codes.js';
import type { PullFlags } from './pull/flags.js';
import { addSettingOptions } from './setting-options.js';
import { printJson } from './terminal.js';

export function pullCommand(exit: (status: number) => void): Command {
  const command = new Command('pull')
    .description('fetch models into the models folder')
    .argument(
      '[REFERENCE...]',
      'hf:OWNER/REPO/FILE, civitai:ID, civitai:ID@VERSION, an address, or the name of a well-known file',
    )
    .option('--for <WORKFLOW>', 'fetch what this workflow names and what is not there')
    .option('--folder <NAME>', 'the subfolder of the models folder (default: what the file is known for)')
    .option('--as <NAME>', 'the name of the file, folders allowed (default: its own)')
    .option('--sha256 <HEX>', 'the hash that the file must have (default: what its site says)')
    .option('--force', 'replace a file that is there')
    .option('--dry-run', 'say what would be fetched, and fetch nothing')
    .option('--json', 'print one JSON object: files, unknown');
  return addSettingOptions(command, ['models', 'extraModelPaths', ...PULL_SETTING_NAMES]).action(
    async (references: readonly string[], options: PullFlags) => {
      const watch = cancelOnSignals();
      try {
        // Loaded here, so that `latentd --help` doesn't wait for it.
        const { pull } = await import('./pull/pull-all.js');
        const { json, failed } = await pull(references, options, watch.signal);
        if (options.json === true) printJson(json);
        exit(watch.exitCode ?? (failed ? EXIT.failed : EXIT.done));
      } finally {
        watch.release();
      }
    },
  );
}
