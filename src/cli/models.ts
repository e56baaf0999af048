/** `latentd models`: what lies in the models folders. */
import { Argument, Command } from 'commander';
import { settingValues } from '../config/resolve-settings.js';
import { MODEL_KINDS, type ModelKind } from '../models/folders/model-folders.js';
import { EXIT } from './exit-codes.js';
import type { ModelInfo } from './inspect-model.js';
import { addSettingOptions, settingsFrom, type SettingOptions } from './setting-options.js';
import { printTable } from './table.js';
import { formatBytes, printJson, report } from './terminal.js';

export function modelsCommand(exit: (status: number) => void): Command {
  const command = new Command('models')
    .description('list the models that workflows can name, with family, size and number format')
    .addArgument(new Argument('[KIND]', 'one kind only').choices(MODEL_KINDS))
    .option('--json', 'print one JSON object');
  return addSettingOptions(command, ['models', 'extraModelPaths']).action(
    async (kind: ModelKind | undefined, options: SettingOptions & { readonly json?: boolean }) => {
      const settings = settingValues((await settingsFrom(options)).settings);
      const { listModels } = await import('./inspect-model.js');
      const models = await listModels(settings, kind === undefined ? MODEL_KINDS : [kind]);
      if (options.json === true) printJson({ folder: settings.models, models });
      else if (models.length > 0) printModels(models);
      else
        report(
          `no ${kind ?? 'models'} in ${settings.models}: put .safetensors files into its subfolders, or fetch some with latentd pull`,
        );
      exit(EXIT.done);
    },
  );
}

function printModels(models: readonly ModelInfo[]): void {
  const rows = models.map(({ kind, name, size, dtype, family, error }) => [
    kind,
    name,
    formatBytes(size),
    ...(error === undefined ? [dtype ?? '', family ?? ''] : [`unusable: ${error}`]),
  ]);
  printTable(rows);
}
