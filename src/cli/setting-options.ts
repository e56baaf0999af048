/** The flags that every command shares: those of the settings. */
import { Option, type Command } from 'commander';
import { resolveSettings, type SettingsReport } from '../config/resolve-settings.js';
import { DEVICES, SETTING_NAMES, SETTINGS, type SettingName } from '../config/settings.js';

const FLAGS: Readonly<Record<SettingName, { readonly argument: string; readonly help: string }>> = {
  models: { argument: 'DIR', help: "models, in ComfyUI's folder layout (default: ./models)" },
  input: { argument: 'DIR', help: 'where workflows find images (default: ./input)' },
  output: { argument: 'DIR', help: 'where results go (default: ./output)' },
  temp: { argument: 'DIR', help: 'where previews go (default: ./temp)' },
  graphs: { argument: 'DIR', help: 'workflow templates (default: ./graphs, else those of the package)' },
  extraModelPaths: {
    argument: 'FILE',
    help: 'extra_model_paths.yaml as ComfyUI has it; may be repeated (default: beside the models folder)',
  },
  device: { argument: 'DEVICE', help: `${DEVICES.join(', ')} (default: auto)` },
  threads: { argument: 'N', help: "threads of an operator (default: the processor's cores)" },
  memoryLimit: { argument: 'SIZE', help: 'weights kept in memory, as 6GB (default: what is free)' },
};

/** Adds the flags of some settings, and `--config`. */
export function addSettingOptions(command: Command, names: readonly SettingName[] = SETTING_NAMES): Command {
  for (const name of names) {
    const { argument, help } = FLAGS[name];
    const option = new Option(`${SETTINGS[name].flag} <${argument}>`, help);
    if (SETTINGS[name].kind === 'paths') {
      option.argParser<string[] | undefined>((value, before) => [...(before ?? []), value]);
    }
    command.addOption(option);
  }
  return command.addOption(
    new Option('--config <FILE>', 'settings (default: ./latentd.config.json, if there)'),
  );
}

/** What commander makes of those flags. */
export type SettingOptions = Partial<Record<SettingName, string | readonly string[]>> & {
  readonly config?: string;
};

/** The settings under these flags, this environment and this working folder. Throws `ConfigError`. */
export function settingsFrom(options: SettingOptions): Promise<SettingsReport> {
  const flags = Object.fromEntries(
    SETTING_NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]!]),
  );
  return resolveSettings({ flags, config: options.config, env: process.env, cwd: process.cwd() });
}
