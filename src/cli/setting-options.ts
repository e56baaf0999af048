/** The flags that commands share: those of the settings. */
import { Option, type Command } from 'commander';
import { resolveSettings, type SettingsReport } from '../config/resolve-settings.js';
import {
  ENGINE_SETTING_NAMES,
  flagOf,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
} from '../config/settings.js';

/** Adds the flags of some settings, those of an engine unless told otherwise, and `--config`. */
export function addSettingOptions(
  command: Command,
  names: readonly SettingName[] = ENGINE_SETTING_NAMES,
): Command {
  for (const name of names) {
    const { kind, help, unset } = SETTINGS[name];
    const { argument, repeatable } = kind;
    const flag = argument === undefined ? flagOf(name) : `${flagOf(name)} <${argument}>`;
    const option = new Option(flag, `${help}${repeatable ? '; may be repeated' : ''} (default: ${unset})`);
    if (repeatable) {
      option.argParser<string[] | undefined>((value, before) => [...(before ?? []), value]);
    }
    command.addOption(option);
  }
  return command.addOption(
    new Option('--config <FILE>', 'settings (default: ./latentd.config.json, if there)'),
  );
}

/** What commander makes of those flags. */
export type SettingOptions = Partial<Record<SettingName, string | true | readonly string[]>> & {
  readonly config?: string;
};

/** The settings under these flags, this environment and this working folder. Throws `ConfigError`. */
export function settingsFrom(options: SettingOptions): Promise<SettingsReport> {
  const flags = Object.fromEntries(
    SETTING_NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]!]),
  );
  return resolveSettings({ flags, config: options.config, env: process.env, cwd: process.cwd() });
}
