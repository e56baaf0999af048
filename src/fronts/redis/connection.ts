/** A connection to Redis that comes back by itself, and what must hold of the server. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { ConfigError } from '../../config/config-error.js';
import { safeLine } from '../../safe-text.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** Of the address, for the log: it may hold a password. */
const MAX_FAULT = 300;

/** Opens connections to one server. Throws `ConfigError` where ioredis is not installed. */
export async function connector(url: string, log: Logger): Promise<(name: string) => Redis> {
  const { Redis: Client } = await import('ioredis').catch((cause: unknown) => {
    throw new ConfigError('--redis needs the package ioredis: npm install ioredis', { cause });
  });
  return (name) => {
    const client = new Client(url, {
      connectionName: `latentd-${name}`,
      // Commands wait until the server is back, and are sent again where their answers were lost.
      maxRetriesPerRequest: null,
      autoResendUnfulfilledCommands: true,
      enableReadyCheck: true,
      retryStrategy: (attempt) =>
        Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt - 1, 10), LONGEST_PAUSE_MS) *
        (0.75 + Math.random() / 2),
      // A server that became a replica: the connection leads to the new primary after a look-up.
      reconnectOnError: (error) => (/^(READONLY|UNBLOCKED)/.test(error.message) ? 2 : false),
    });
    let isDown = false;
    client.on('error', (error: Error) => {
      if (!isDown) log.warn({ connection: name, fault: safeLine(error.message, MAX_FAULT) }, 'redis is away');
      isDown = true;
    });
    client.on('close', () => {
      if (!isDown && client.status !== 'end') log.warn({ connection: name }, 'redis is away');
      isDown = true;
    });
    client.on('ready', () => {
      if (isDown) log.info({ connection: name }, 'redis is back');
      isDown = false;
    });
    return client;
  };
}

/** Throws `ConfigError` for a server that would lose jobs, or can't do what is needed. Waits until there is one. */
export async function checkServer(client: Redis, log: Logger): Promise<void> {
  const info = await client.info();
  const of = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const [major = 0, minor = 0] = of('redis_version').split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2)) {
    throw new ConfigError(
      `--redis: the server is Redis ${safeLine(of('redis_version'), 20)}; 6.2 is needed, 7 for autoscaling by lag`,
    );
  }
  const policy = of('maxmemory_policy');
  if (policy !== '' && policy !== 'noeviction') {
    throw new ConfigError(
      `--redis: the server's maxmemory-policy is ${safeLine(policy, 40)}, with which jobs can vanish; set it to noeviction`,
    );
  }
  if (of('aof_enabled') === '0') {
    log.warn('redis keeps no append-only file: a restart of it can lose jobs; see appendonly');
  }
}

/** Host, process and boot: no two consumers that ever were share it. */
export function consumerName(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  return `${hostname()}-${process.pid}-${boot}-${Date.now().toString(36)}`;
}
