/** `latentd check FILE…`: whether workflows can run here, and what they lack. */
import { Command } from 'commander';
import { EXIT } from './exit-codes.js';
import { addSettingOptions, settingsFrom, type SettingOptions } from './setting-options.js';
import { printJsonText, printLines } from './terminal.js';

const SETTINGS = ['models', 'input', 'extraModelPaths', 'graphs', 'nodePack'] as const;

export function checkCommand(exit: (status: number) => void): Command {
  const command = new Command('check')
    .description('say whether workflows can run, and which classes and models they lack')
    .argument(
      '<FILES...>',
      'workflows in any form, pictures and films that carry one, or - for standard input',
    )
    .option('--json', 'print one JSON object, on one line');
  return addSettingOptions(command, SETTINGS).action(
    async (files: string[], options: SettingOptions & { readonly json?: boolean }) => {
      const { settings } = await settingsFrom(options);
      const { checkFiles } = await import('./check/check-files.js');
      const { describeReport } = await import('./check/describe.js');
      const reports = await checkFiles(files, settings);
      const canRun = reports.every((report) => report.can_run);
      if (options.json === true) printJsonText(JSON.stringify({ can_run: canRun, files: reports }));
      else for (const report of reports) printLines(describeReport(report));
      exit(canRun ? EXIT.done : EXIT.usage);
    },
  );
}
