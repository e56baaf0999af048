/** Reads settings that were given as text, on the command line or in the environment. */
import { delimiter, resolve } from 'node:path';
import { nearestHint } from '../nearest-names.js';
import {
  ConfigError,
  DEVICES,
  LOG_LEVELS,
  NOISE_SOURCES,
  PRECISIONS,
  type DeviceName,
  type LogLevel,
  type NoiseSource,
  type Settings,
} from './settings.js';

/** A relative path counts from `base`. `from` names the flag or variable in messages, here and below. */
export function parsePath(text: string, from: string, base: string): string {
  if (text === '') throw new ConfigError(`${from} is empty; it must be a path`);
  return resolve(base, text);
}

/** Paths separated as in `PATH`; none when the text is empty. */
export function parsePaths(text: string, base: string): string[] {
  return text
    .split(delimiter)
    .filter((path) => path !== '')
    .map((path) => resolve(base, path));
}

export function parseDevice(text: string, from: string): DeviceName {
  return parseOneOf(DEVICES, text, from);
}

export function parseLogLevel(text: string, from: string): LogLevel {
  return parseOneOf(LOG_LEVELS, text, from);
}

export function parseNoise(text: string, from: string): NoiseSource {
  return parseOneOf(NOISE_SOURCES, text, from);
}

export function parsePrecision(text: string, from: string): Settings['precision'] {
  return parseOneOf(PRECISIONS, text, from);
}

function parseOneOf<const Name extends string>(names: readonly Name[], text: string, from: string): Name {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  throw new ConfigError(
    `${from} must be one of ${names.join(', ')}, not ${JSON.stringify(text)}${nearestHint(text, names)}`,
  );
}

/** A whole number within bounds, both included: from 1 up when they are left out. */
export function parseCount(
  text: string,
  from: string,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number },
): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= min && count <= max) return count;
  throw new ConfigError(`${from} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
}

/** A ZeroMQ endpoint: `tcp://HOST:PORT` (`*` for any of either) or `ipc://PATH`. */
export function parseEndpoint(text: string, from: string): string {
  const [, port] = /^tcp:\/\/(?:\[[^\]]+\]|[^:/]+):(\d+|\*)$/.exec(text) ?? [];
  if (port === '*' || (port !== undefined && Number(port) <= 65_535)) return text;
  if (/^ipc:\/\/./.test(text)) return text;
  throw new ConfigError(
    `${from} must be an address like tcp://127.0.0.1:5555 or ipc:///run/latentd/requests, not ${JSON.stringify(text)}`,
  );
}

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `90`, `90s`, `15m`, `1.5h`, `30d`. */
export function parseDuration(text: string, from: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*$/.exec(text);
  const seconds = match === null ? Number.NaN : Number(match[1]) * SECONDS[match[2]!]!;
  if (seconds >= 0 && seconds <= 100 * 365 * 86_400) return seconds;
  throw new ConfigError(`${from} must be a time like 90s, 15m, 1h or 30d, not ${JSON.stringify(text)}`);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `6000000000`, `512M`, `6GB`, `6.5 GiB`; units are powers of 1024. */
export function parseBytes(text: string, from: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$/i.exec(text);
  const bytes = match === null ? 0 : Math.round(Number(match[1]) * UNITS[match[2]!.toUpperCase()]!);
  if (bytes >= 1) return bytes;
  throw new ConfigError(`${from} must be a size like 6GB or 512MB, not ${JSON.stringify(text)}`);
}
