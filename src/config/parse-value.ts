/** Reads settings that were given as text, on the command line or in the environment. */
import { delimiter, resolve } from 'node:path';
import { nearestHint } from '../nearest-names.js';
import { ConfigError, DEVICES, type DeviceName } from './settings.js';

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
  const device = DEVICES.find((name) => name === text);
  if (device !== undefined) return device;
  throw new ConfigError(
    `${from} must be one of ${DEVICES.join(', ')}, not ${JSON.stringify(text)}${nearestHint(text, DEVICES)}`,
  );
}

export function parseCount(text: string, from: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 1024) return count;
  throw new ConfigError(`${from} must be a whole number from 1 to 1024, not ${JSON.stringify(text)}`);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `6000000000`, `512M`, `6GB`, `6.5 GiB`; units are powers of 1024. */
export function parseBytes(text: string, from: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$/i.exec(text);
  const bytes = match === null ? 0 : Math.round(Number(match[1]) * UNITS[match[2]!.toUpperCase()]!);
  if (bytes >= 1) return bytes;
  throw new ConfigError(`${from} must be a size like 6GB or 512MB, not ${JSON.stringify(text)}`);
}
