/** `latentd.config.json`, checked against its schema. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { nearestHint } from '../nearest-names.js';
import { parseBytes } from './parse-value.js';
import { ConfigError, DEVICES, SETTING_NAMES, type SettingName, type Settings } from './settings.js';

const path = z.string().min(1);

const configSchema = z
  .strictObject({
    $schema: z.string(),
    models: path,
    input: path,
    output: path,
    temp: path,
    graphs: path,
    extraModelPaths: z.union([path, z.array(path)]),
    device: z.enum(DEVICES),
    threads: z.int().min(1).max(1024),
    memoryLimit: z.union([z.int().min(1), z.string()]),
  } satisfies Record<SettingName | '$schema', z.ZodType>)
  .partial();

/** What the file sets; its relative paths count from its own folder. Throws `ConfigError` naming the file and the key. */
export function readConfigFile(file: string): Partial<Settings> {
  const folder = dirname(resolve(file));
  const config = check(file, parse(file));
  const absolute = (relative: string) => resolve(folder, relative);
  const settings: Partial<Record<SettingName, Settings[SettingName]>> = {};
  for (const name of ['models', 'input', 'output', 'temp', 'graphs'] as const) {
    const given = config[name];
    if (given !== undefined) settings[name] = absolute(given);
  }
  const { extraModelPaths: extra, device, threads, memoryLimit } = config;
  if (extra !== undefined) settings.extraModelPaths = [extra].flat().map(absolute);
  if (device !== undefined) settings.device = device;
  if (threads !== undefined) settings.threads = threads;
  if (memoryLimit !== undefined)
    settings.memoryLimit = parseBytes(String(memoryLimit), `${file}: memoryLimit`);
  return settings as Partial<Settings>;
}

function parse(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(
      `${file} is no valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function check(file: string, value: unknown): z.infer<typeof configSchema> {
  const result = configSchema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys
        .map((key) => `unknown key ${JSON.stringify(key)}${nearestHint(key, SETTING_NAMES)}`)
        .join('\n  ');
    }
    const where = issue.path.length === 0 ? 'the file' : issue.path.join('.');
    return `${where}: ${issue.message}`;
  });
  throw new ConfigError(`${file}:\n  ${faults.join('\n  ')}`);
}
