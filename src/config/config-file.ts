/** `latentd.config.json`, checked against its schema. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { nearestHint } from '../nearest-names.js';
import { ConfigError } from './config-error.js';
import { SETTING_NAMES, SETTINGS, type SettingName, type Settings } from './settings.js';

const schemas = SETTING_NAMES.map((name) => [name, SETTINGS[name].kind.schema(z).optional()] as const);
const configSchema = z.strictObject({ $schema: z.string().optional(), ...Object.fromEntries(schemas) });

/**
 * Reads what the file sets, as a function of the setting's name: undefined where it says nothing. Relative paths count from the
 * file's own folder. Throws `ConfigError` naming the file and the key.
 */
export function readConfigFile(
  file: string,
): <Name extends SettingName>(name: Name) => Settings[Name] | undefined {
  const base = dirname(resolve(file));
  const config = new Map(Object.entries(check(file, parse(file))));
  return (name) => {
    const written = config.get(name);
    if (written === undefined) return undefined;
    return SETTINGS[name].kind.parse([written].flat().map(String), `${file}: ${name}`, base);
  };
}

function parse(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${file} can't be read: ${messageOf(error)}`);
  }
  try {
    // Editors of other systems put a byte order mark in front.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new ConfigError(`${file} is no valid JSON: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function check(file: string, value: unknown): Readonly<Record<string, unknown>> {
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
