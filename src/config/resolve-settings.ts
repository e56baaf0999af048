/** Settings from flags, then `LATENTD_*` variables, then `latentd.config.json`, then defaults. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nearestNames } from '../nearest-names.js';
import { ConfigError } from './config-error.js';
import {
  flagOf,
  SETTING_NAMES,
  SETTINGS,
  variableOf,
  type DefaultPlace,
  type SettingName,
  type Settings,
} from './settings.js';

export const CONFIG_FILE = 'latentd.config.json';

/** Which of the places won, in the order in which they are asked. */
export type SettingSource = 'flag' | 'environment' | 'file' | 'default';

export interface Resolved<Value> {
  readonly value: Value;
  readonly source: SettingSource;
  /** The flag, variable or file that gave it. */
  readonly from: string;
}

export type ResolvedSettings = { readonly [Name in SettingName]: Resolved<Settings[Name]> };

export interface SettingInputs {
  /** Flags as given, by setting; a flag that may be repeated is a list, one without an argument is true. */
  readonly flags?: Partial<Record<SettingName, string | true | readonly string[]>>;
  /** Another file than `latentd.config.json` of the working folder; it must exist. */
  readonly config?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface SettingsReport {
  readonly settings: ResolvedSettings;
  /** The config file that was read, if any. */
  readonly file: string | undefined;
  /** What deserves attention but stops nothing. */
  readonly warnings: readonly string[];
}

/** Throws `ConfigError` for the first value that can't be. Reads the config file; makes and changes nothing. */
export async function resolveSettings(inputs: SettingInputs): Promise<SettingsReport> {
  const { cwd, env, flags = {} } = inputs;
  const file = configFile(inputs);
  // The schema library is loaded only where there is a file to check: it takes longer than all the rest here.
  const fromFile = file === undefined ? undefined : (await import('./config-file.js')).readConfigFile(file);

  const settle = <Name extends SettingName>(name: Name, place: DefaultPlace): Resolved<Settings[Name]> => {
    const { kind, byDefault } = SETTINGS[name];
    const flagged = flags[name];
    if (flagged !== undefined) {
      const texts = [flagged].flat().map(String);
      return { value: kind.parse(texts, flagOf(name), cwd), source: 'flag', from: flagOf(name) };
    }
    const variable = variableOf(name);
    const set = env[variable];
    if (set !== undefined && set !== '') {
      return { value: kind.parse([set], variable, cwd), source: 'environment', from: variable };
    }
    const written = fromFile?.(name);
    if (written !== undefined && file !== undefined) return { value: written, source: 'file', from: file };
    return { value: byDefault(place), source: 'default', from: 'default' };
  };

  const models = settle('models', { cwd, models: '' });
  const place: DefaultPlace = { cwd, models: models.value };
  const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, settle(name, place)]));
  return { settings: settings as ResolvedSettings, file, warnings: unknownVariables(env) };
}

/** The values alone. */
export function settingValues(resolved: ResolvedSettings): Settings {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, resolved[name].value])) as unknown as Settings;
}

function configFile({ config, env, cwd }: SettingInputs): string | undefined {
  const named = config ?? (env['LATENTD_CONFIG'] === '' ? undefined : env['LATENTD_CONFIG']);
  if (named !== undefined) {
    const file = resolve(cwd, named);
    if (!existsSync(file)) throw new ConfigError(`the config file ${file} isn't there`);
    return file;
  }
  const file = join(cwd, CONFIG_FILE);
  return existsSync(file) ? file : undefined;
}

function unknownVariables(env: SettingInputs['env']): string[] {
  const prefix = 'LATENTD_';
  const known = [...SETTING_NAMES.map(variableOf), 'LATENTD_CONFIG'];
  const endings = known.map((name) => name.slice(prefix.length));
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .map((name) => {
      const [nearest] = nearestNames(name.slice(prefix.length), endings, 1);
      const hint = nearest === undefined ? '' : `; nearest: ${prefix}${nearest}`;
      return `${name} is set, but there is no such setting${hint}`;
    });
}
