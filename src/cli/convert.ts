/** `latentd convert FILE`: writes a workflow in the form that ComfyUI's API takes. */
import { Command } from 'commander';
import type { ConvertFlags } from './convert/convert-file.js';
import { EXIT } from './exit-codes.js';
import { addSettingOptions, settingsFrom, type SettingOptions } from './setting-options.js';
import { notice, printJson, printJsonText, reportLines } from './terminal.js';

type Flags = SettingOptions & ConvertFlags & { readonly json?: boolean };

const SETTINGS = ['models', 'input', 'extraModelPaths', 'graphs', 'nodePack'] as const;

export function convertCommand(exit: (status: number) => void): Command {
  const command = new Command('convert')
    .description("write a workflow in ComfyUI's API format")
    .argument(
      '<FILE>',
      "a workflow in the editor's format or the API's; a picture, film or sound that carries one; or - for standard input",
    )
    .option('-o, --out <FILE>', 'where to write it (default: standard output)')
    .option('--seed <N>', 'what {a|b} in prompts is chosen with (default: by chance)')
    .option(
      '--object-info <FILE>',
      "what classes take, as ComfyUI's /object_info answers: for classes that latentd lacks",
    )
    .option('--json', 'print one JSON object: status, workflow, missing classes');
  return addSettingOptions(command, SETTINGS).action(async (file: string, options: Flags) => {
    const { settings } = await settingsFrom(options);
    const { convertFile } = await import('./convert/convert-file.js');
    const outcome = await convertFile(file, options, settings);
    for (const text of outcome.notices) notice(`latentd: ${text}`);
    if (options.json === true) printJson(outcome.json);
    else if (outcome.text !== undefined && options.out === undefined) printJsonText(outcome.text);
    if (outcome.refusal !== undefined) reportLines(`latentd: ${outcome.refusal}`);
    exit(outcome.refusal === undefined ? EXIT.done : EXIT.usage);
  });
}
