/** `latentd.config.json`, checked against its schema. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { nearestHint } from '../nearest-names.js';
import { parseBytes, parseDuration, parseEndpoint } from './parse-value.js';
import {
  ConfigError,
  DEVICES,
  LOG_LEVELS,
  NOISE_SOURCES,
  PRECISIONS,
  SETTING_NAMES,
  type SettingName,
  type Settings,
} from './settings.js';

const path = z.string().min(1);
const duration = z.union([z.number().min(0), z.string()]);

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
    precision: z.enum(PRECISIONS),
    noise: z.enum(NOISE_SOURCES),
    gpuThreads: z
      .int()
      .min(256)
      .max(2 ** 24),
    reqAddr: z.string(),
    pubAddr: z.string(),
    curveKeys: path,
    data: path,
    queueCapacity: z.int().min(1).max(1_000_000),
    jobTimeLimit: duration,
    engineTimeout: duration,
    gracePeriod: duration,
    keepFor: duration,
    keepJobs: z.int().min(1).max(10_000_000),
    logLevel: z.enum(LOG_LEVELS),
  } satisfies Record<SettingName | '$schema', z.ZodType>)
  .partial();

/** What the file sets; its relative paths count from its own folder. Throws `ConfigError` naming the file and the key. */
export function readConfigFile(file: string): Partial<Settings> {
  const folder = dirname(resolve(file));
  const config = check(file, parse(file));
  const absolute = (relative: string) => resolve(folder, relative);
  const seconds = (name: SettingName) => (time: number | string) =>
    parseDuration(String(time), `${file}: ${name}`);
  const endpoint = (name: SettingName) => (address: string) => parseEndpoint(address, `${file}: ${name}`);
  const settings: { readonly [Name in SettingName]: Settings[Name] | undefined } = {
    models: map(config.models, absolute),
    input: map(config.input, absolute),
    output: map(config.output, absolute),
    temp: map(config.temp, absolute),
    graphs: map(config.graphs, absolute),
    extraModelPaths: map(config.extraModelPaths, (paths) => [paths].flat().map(absolute)),
    device: config.device,
    threads: config.threads,
    memoryLimit: map(config.memoryLimit, (size) => parseBytes(String(size), `${file}: memoryLimit`)),
    precision: config.precision,
    noise: config.noise,
    gpuThreads: config.gpuThreads,
    reqAddr: map(config.reqAddr, endpoint('reqAddr')),
    pubAddr: map(config.pubAddr, endpoint('pubAddr')),
    curveKeys: map(config.curveKeys, absolute),
    data: map(config.data, absolute),
    queueCapacity: config.queueCapacity,
    jobTimeLimit: map(config.jobTimeLimit, seconds('jobTimeLimit')),
    engineTimeout: map(config.engineTimeout, seconds('engineTimeout')),
    gracePeriod: map(config.gracePeriod, seconds('gracePeriod')),
    keepFor: map(config.keepFor, seconds('keepFor')),
    keepJobs: config.keepJobs,
    logLevel: config.logLevel,
  };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function map<Value, Result>(value: Value | undefined, read: (value: Value) => Result): Result | undefined {
  return value === undefined ? undefined : read(value);
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
