/** The kinds of settings: how each is written on the command line, in the environment and in the config file. */
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { z, ZodType } from 'zod';
import { nearestHint } from '../nearest-names.js';
import { ConfigError } from './config-error.js';

export interface Kind<Value> {
  /** What the flag's argument is called in help; a flag that may stand alone has none. */
  readonly argument: string | undefined;
  /** The flag may be given again and again; each adds to the others. */
  readonly repeatable?: true;
  /**
   * Reads what was given; of several texts the last counts, unless they add up. Relative paths count from `base`. Throws
   * `ConfigError` naming `from`, the flag, variable or key.
   */
  readonly parse: (texts: readonly string[], from: string, base: string) => Value;
  /** What may stand in the config file, before it is parsed like any other text. Handed zod, which only a file needs. */
  readonly schema: (zod: typeof z) => ZodType<string | number | boolean | readonly string[]>;
}

/** A file or folder. `~` is the home folder. */
export const path: Kind<string> = {
  argument: 'PATH',
  parse: (texts, from, base) => {
    const text = last(texts);
    if (text === '') throw new ConfigError(`${from} is empty; it must be a path`);
    return resolve(base, expandHome(text));
  },
  schema: (zod) => zod.string().min(1),
};

export const folder: Kind<string> = { ...path, argument: 'DIR' };
export const file: Kind<string> = { ...path, argument: 'FILE' };

/** The name of something, as it is. */
export const name: Kind<string> = {
  argument: 'NAME',
  parse: (texts, from) => {
    const text = last(texts);
    if (text === '') throw new ConfigError(`${from} is empty; it must be a name`);
    return text;
  },
  schema: (zod) => zod.string().min(1),
};

/** Files; in one text, they are separated as in `PATH`. */
export const files: Kind<readonly string[]> = {
  argument: 'FILE',
  repeatable: true,
  parse: (texts, _from, base) =>
    texts
      .flatMap((text) => text.split(delimiter))
      .filter((text) => text !== '')
      .map((text) => resolve(base, expandHome(text))),
  schema: (zod) => zod.union([zod.string().min(1), zod.array(zod.string().min(1))]),
};

/** Names of models; in one text, separated as in `PATH`. */
export const modelNames: Kind<readonly string[]> = {
  argument: 'NAME',
  repeatable: true,
  parse: (texts) => texts.flatMap((text) => text.split(delimiter)).filter((text) => text !== ''),
  schema: files.schema,
};

/** Packages by name, or folders and files by paths that begin with `.`, `/` or `~`; in one text, separated as in `PATH`. */
export const packages: Kind<readonly string[]> = {
  argument: 'NAME',
  repeatable: true,
  parse: (texts, _from, base) =>
    texts
      .flatMap((text) => text.split(delimiter))
      .filter((text) => text !== '')
      .map((text) => (/^[./~]/.test(text) ? resolve(base, expandHome(text)) : text)),
  schema: files.schema,
};

/** One of a few words. */
export function oneOf<const Name extends string>(argument: string, names: readonly Name[]): Kind<Name> {
  return {
    argument,
    parse: (texts, from) => {
      const text = last(texts);
      const found = names.find((name) => name === text);
      if (found !== undefined) return found;
      throw new ConfigError(
        `${from} must be one of ${names.join(', ')}, not ${JSON.stringify(text)}${nearestHint(text, names)}`,
      );
    },
    schema: (zod) => zod.enum(names),
  };
}

/**
 * What computes: one of a few words, `cuda:N` for one of several cards, or a list of those, `cuda:0,cuda:1,cpu`. Devices may
 * come more than once; what looks for a device by itself stands alone.
 */
export function deviceList(names: readonly string[], alone: readonly string[]): Kind<string> {
  return {
    argument: 'DEVICE',
    parse: (texts, from) => {
      const devices = last(texts)
        .split(',')
        .map((text) => text.trim());
      for (const device of devices) {
        if (names.includes(device) || /^cuda:\d{1,3}$/.test(device)) continue;
        throw new ConfigError(
          `${from} must be one of ${names.join(', ')}, not ${JSON.stringify(device)}${nearestHint(device, names)}`,
        );
      }
      const loner = devices.find((device) => alone.includes(device));
      if (loner !== undefined && devices.length > 1) {
        throw new ConfigError(
          `${from}: ${loner} stands alone; several devices are named, as cuda:0,cuda:1,cpu`,
        );
      }
      return devices.join(',');
    },
    schema: (zod) => zod.string(),
  };
}

/** Yes or no; the flag alone means yes. */
export const toggle: Kind<boolean> = {
  argument: undefined,
  parse: (texts, from) => {
    const text = last(texts).toLowerCase();
    if (['true', '1', 'yes', 'on'].includes(text)) return true;
    if (['false', '0', 'no', 'off'].includes(text)) return false;
    throw new ConfigError(`${from} must be true or false, not ${JSON.stringify(text)}`);
  },
  schema: (zod) => zod.boolean(),
};

/** A whole number within bounds, both included. */
export function count({ min = 1, max }: { readonly min?: number; readonly max: number }): Kind<number> {
  return {
    argument: 'N',
    parse: (texts, from) => {
      const text = last(texts);
      const value = Number(text);
      if (/^\d+$/.test(text) && value >= min && value <= max) return value;
      throw new ConfigError(
        `${from} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`,
      );
    },
    schema: (zod) => zod.int().min(min).max(max),
  };
}

/** A ZeroMQ endpoint: `tcp://HOST:PORT` (`*` for any of either) or `ipc://PATH`. */
export const endpoint: Kind<string> = {
  argument: 'ADDRESS',
  parse: (texts, from) => {
    const text = last(texts);
    const [, port] = /^tcp:\/\/(?:\[[^\]]+\]|[^:/]+):(\d+|\*)$/.exec(text) ?? [];
    if (port === '*' || (port !== undefined && Number(port) <= 65_535)) return text;
    if (/^ipc:\/\/./.test(text)) return text;
    throw new ConfigError(
      `${from} must be an address like tcp://127.0.0.1:5555 or ipc:///run/latentd/requests, not ${JSON.stringify(text)}`,
    );
  },
  schema: (zod) => zod.string(),
};

/** Where HTTP is served: `PORT`, on this machine alone, or `HOST:PORT`, with `*` for every address. */
export const httpAddress: Kind<string> = {
  argument: 'ADDRESS',
  parse: (texts, from) => {
    const text = last(texts);
    const [, host = '127.0.0.1', port] =
      /^(?:https?:\/\/)?(?:(\[[\da-fA-F:.]+\]|[^:/\s]+):)?(\d+)\/?$/.exec(text) ?? [];
    if (port !== undefined && Number(port) <= 65_535) return `${host}:${port}`;
    throw new ConfigError(
      `${from} must be an address like 127.0.0.1:8188, 8188 or [::1]:8188, not ${JSON.stringify(text)}`,
    );
  },
  schema: (zod) => zod.union([zod.string(), zod.int().min(0).max(65_535)]),
};

/** A web site whose pages may ask, `https://example.org`, or `*` for all. */
export const webOrigin: Kind<string> = {
  argument: 'ORIGIN',
  parse: (texts, from) => {
    const text = last(texts);
    if (text === '*' || (URL.canParse(text) && new URL(text).origin === text)) return text;
    throw new ConfigError(
      `${from} must be an origin like https://example.org, or *, not ${JSON.stringify(text)}`,
    );
  },
  schema: (zod) => zod.string().min(1),
};

/** A site's address, `https://example.org` or `https://example.org/mirror`. */
export const webAddress: Kind<string> = {
  argument: 'URL',
  parse: (texts, from) => {
    const text = last(texts);
    if (/^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).search === '') return text;
    throw new ConfigError(
      `${from} must be an address like https://huggingface.co, not ${JSON.stringify(text)}`,
    );
  },
  schema: (zod) => zod.string().min(1),
};

/** Such addresses, with queries where they need any; in one text, separated by spaces. */
export const webAddresses: Kind<readonly string[]> = {
  argument: 'URL',
  repeatable: true,
  parse: (texts, from) =>
    texts
      .flatMap((text) => text.split(/\s+/))
      .filter((text) => text !== '')
      .map((text) => {
        if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
        throw new ConfigError(
          `${from} must be an address like https://example.org/hook, not ${JSON.stringify(text)}`,
        );
      }),
  schema: files.schema,
};

/** A Redis server: `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `rediss://` with TLS, or `unix:///PATH`. What it holds is not repeated. */
export const redisAddress: Kind<string> = {
  argument: 'URL',
  parse: (texts, from) => {
    const text = last(texts);
    if (/^rediss?:\/\/./.test(text) && URL.canParse(text)) return text;
    if (text.startsWith('unix:///')) return text.slice('unix://'.length);
    throw new ConfigError(`${from} must be an address like redis://localhost:6379 or unix:///run/redis.sock`);
  },
  schema: (zod) => zod.string().min(1),
};

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `90`, `90s`, `15m`, `1.5h`, `30d`. */
export const duration: Kind<number> = {
  argument: 'TIME',
  parse: (texts, from) => {
    const text = last(texts);
    const match = /^\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*$/.exec(text);
    const seconds = match === null ? Number.NaN : Number(match[1]) * SECONDS[match[2]!]!;
    if (seconds >= 0 && seconds <= 100 * 365 * 86_400) return seconds;
    throw new ConfigError(`${from} must be a time like 90s, 15m, 1h or 30d, not ${JSON.stringify(text)}`);
  },
  schema: (zod) => zod.union([zod.number().min(0), zod.string()]),
};

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes of `6000000000`, `512M`, `6GB`, `6.5 GiB`; units are powers of 1024. */
export const bytes: Kind<number> = {
  argument: 'SIZE',
  parse: (texts, from) => {
    const text = last(texts);
    const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$/i.exec(text);
    const size = match === null ? 0 : Math.round(Number(match[1]) * UNITS[match[2]!.toUpperCase()]!);
    if (size >= 1) return size;
    throw new ConfigError(`${from} must be a size like 6GB or 512MB, not ${JSON.stringify(text)}`);
  },
  schema: (zod) => zod.union([zod.int().min(1), zod.string()]),
};

function last(texts: readonly string[]): string {
  return texts.at(-1) ?? '';
}

/** A shell expands `~` in `--models ~/models`, but not in `--models=~/models`, a variable in a unit file or JSON. */
function expandHome(text: string): string {
  return text === '~' || text.startsWith('~/') ? join(homedir(), text.slice(1)) : text;
}

/** `s3://BUCKET[/PREFIX]`, or a folder. */
export const store: Kind<string> = {
  argument: 'STORE',
  parse: (texts, from, base) => {
    const text = last(texts);
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return folder.parse(texts, from, base);
    if (/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[^\0\s]*)?$/.test(text)) return text;
    throw new ConfigError(`${from} must be s3://BUCKET/PREFIX or a folder, not ${JSON.stringify(text)}`);
  },
  schema: folder.schema,
};

/** Names of buckets; in one text, separated by spaces. */
export const buckets: Kind<readonly string[]> = {
  argument: 'BUCKET',
  repeatable: true,
  parse: (texts, from) =>
    texts
      .flatMap((text) => text.split(/[\s,]+/))
      .filter((text) => text !== '')
      .map((text) => {
        if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text)) return text;
        throw new ConfigError(`${from} must be the name of a bucket, not ${JSON.stringify(text)}`);
      }),
  schema: files.schema,
};
