/** Tokens that clients show: `Authorization: Bearer TOKEN`, or Basic with the token as its password, which URLs can carry. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../../config/config-error.js';

/** Their hashes: comparing these tells nothing of how much of a token was right. */
export type Tokens = readonly Buffer[];

/** Tokens of a file, one a line; empty lines and those that begin with `#` don't count. Throws `ConfigError`. */
export function readTokens(file: string): Tokens {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`--http-tokens: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const tokens = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (tokens.length === 0) throw new ConfigError(`--http-tokens: ${file} has no token, one a line`);
  return tokens.map(hashOf);
}

/** Whether an `Authorization` header shows one of them. */
export function showsToken(tokens: Tokens, authorization: string | undefined): boolean {
  const [, scheme = '', credentials = ''] = /^(\w+) +(\S+) *$/.exec(authorization ?? '') ?? [];
  const shown = { bearer: credentials, basic: passwordOf(credentials) }[scheme.toLowerCase()];
  if (shown === undefined) return false;
  const hash = hashOf(shown);
  return tokens.some((token) => timingSafeEqual(token, hash));
}

function passwordOf(credentials: string): string {
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
