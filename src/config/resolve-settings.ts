/** Settings from flags, then `LATENTD_*` variables, then `latentd.config.json`, then defaults. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearestNames } from '../nearest-names.js';
import {
  parseBytes,
  parseCount,
  parseDevice,
  parseDuration,
  parseEndpoint,
  parseLogLevel,
  parseNoise,
  parsePath,
  parsePaths,
  parsePrecision,
} from './parse-value.js';
import {
  ConfigError,
  SETTING_NAMES,
  SETTINGS,
  type Resolved,
  type ResolvedSettings,
  type SettingName,
  type Settings,
} from './settings.js';

export const CONFIG_FILE = 'latentd.config.json';
const EXTRA_MODEL_PATHS_FILE = 'extra_model_paths.yaml';

/** The templates that come with the package; two folders below its root from both src/config and dist/config. */
export const SHIPPED_GRAPHS = fileURLToPath(new URL('../../graphs', import.meta.url));

export interface SettingInputs {
  /** Flags as given, by setting; a flag that may be repeated is a list. */
  readonly flags?: Partial<Record<SettingName, string | readonly string[]>>;
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
  const fromFile = file === undefined ? {} : (await import('./config-file.js')).readConfigFile(file);

  const given = <Name extends SettingName>(name: Name): Resolved<Settings[Name]> | undefined => {
    const { flag, variable } = SETTINGS[name];
    const flagged = flags[name];
    if (flagged !== undefined) return { value: parse(name, flagged, flag, cwd), source: 'flag', from: flag };
    const set = env[variable];
    if (set !== undefined && set !== '') {
      return { value: parse(name, set, variable, cwd), source: 'environment', from: variable };
    }
    const written = fromFile[name];
    return written === undefined || file === undefined
      ? undefined
      : { value: written, source: 'file', from: file };
  };
  const byDefault = <Value>(value: Value): Resolved<Value> => ({ value, source: 'default', from: 'default' });
  const folder = (name: 'models' | 'input' | 'output' | 'temp') =>
    given(name) ?? byDefault(resolve(cwd, name));

  const models = folder('models');
  const settings: ResolvedSettings = {
    models,
    input: folder('input'),
    output: folder('output'),
    temp: folder('temp'),
    graphs: given('graphs') ?? byDefault(defaultGraphs(cwd)),
    extraModelPaths: given('extraModelPaths') ?? byDefault(findExtraModelPaths(models.value, cwd)),
    device: given('device') ?? byDefault('auto'),
    threads: given('threads') ?? byDefault(undefined),
    memoryLimit: given('memoryLimit') ?? byDefault(undefined),
    precision: given('precision') ?? byDefault('fp32'),
    noise: given('noise') ?? byDefault('cpu'),
    gpuThreads: given('gpuThreads') ?? byDefault(undefined),
    reqAddr: given('reqAddr') ?? byDefault('tcp://127.0.0.1:5555'),
    pubAddr: given('pubAddr') ?? byDefault('tcp://127.0.0.1:5556'),
    curveKeys: given('curveKeys') ?? byDefault(undefined),
    data: given('data') ?? byDefault(resolve(cwd, 'latentd-data')),
    queueCapacity: given('queueCapacity') ?? byDefault(1000),
    jobTimeLimit: given('jobTimeLimit') ?? byDefault(3600),
    engineTimeout: given('engineTimeout') ?? byDefault(600),
    gracePeriod: given('gracePeriod') ?? byDefault(30),
    keepFor: given('keepFor') ?? byDefault(30 * 86_400),
    keepJobs: given('keepJobs') ?? byDefault(10_000),
    logLevel: given('logLevel') ?? byDefault('info'),
  };
  return { settings, file, warnings: unknownVariables(env) };
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

function parse<Name extends SettingName>(
  name: Name,
  given: string | readonly string[],
  from: string,
  cwd: string,
): Settings[Name];
function parse(
  name: SettingName,
  given: string | readonly string[],
  from: string,
  cwd: string,
): Settings[SettingName] {
  const texts = typeof given === 'string' ? [given] : given;
  const text = texts.at(-1) ?? '';
  const spec = SETTINGS[name];
  switch (spec.kind) {
    case 'path':
      return parsePath(text, from, cwd);
    case 'paths':
      return texts.flatMap((each) => parsePaths(each, cwd));
    case 'device':
      return parseDevice(text, from);
    case 'precision':
      return parsePrecision(text, from);
    case 'noise':
      return parseNoise(text, from);
    case 'count':
      return parseCount(text, from, spec);
    case 'bytes':
      return parseBytes(text, from);
    case 'endpoint':
      return parseEndpoint(text, from);
    case 'duration':
      return parseDuration(text, from);
    case 'logLevel':
      return parseLogLevel(text, from);
  }
}

function defaultGraphs(cwd: string): string {
  const own = resolve(cwd, 'graphs');
  return existsSync(own) ? own : SHIPPED_GRAPHS;
}

/** ComfyUI looks beside its main.py, which is beside its models folder; the working folder is asked too. */
function findExtraModelPaths(models: string, cwd: string): string[] {
  const places = new Set([dirname(models), cwd].map((folder) => join(folder, EXTRA_MODEL_PATHS_FILE)));
  return [...places].filter((place) => existsSync(place));
}

function unknownVariables(env: SettingInputs['env']): string[] {
  const prefix = 'LATENTD_';
  const known = [...SETTING_NAMES.map((name) => SETTINGS[name].variable), 'LATENTD_CONFIG'];
  const endings = known.map((name) => name.slice(prefix.length));
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .map((name) => {
      const [nearest] = nearestNames(name.slice(prefix.length), endings, 1);
      const hint = nearest === undefined ? '' : `; nearest: ${prefix}${nearest}`;
      return `${name} is set, but there is no such setting${hint}`;
    });
}
