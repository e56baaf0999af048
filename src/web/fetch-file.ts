/**
 * A file by its address, of public hosts alone: a workflow must not be a way to reach what only this machine can reach. Each connection goes to the very
 * address that was looked at, so a name that is resolved to another one meanwhile leads nowhere.
 */
import { lookup as resolveName, type LookupAddress } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { shorten } from '../safe-text.js';
import { isPublicAddress } from './public-addresses.js';

/** A file that can't be fetched; the message says why. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
}

export interface FetchLimits {
  /** Of the file. */
  readonly bytes: number;
  /** Of the whole, redirects included, in milliseconds. */
  readonly time: number;
  readonly redirects: number;
}

export const PICTURE_LIMITS: FetchLimits = { bytes: 64 * 2 ** 20, time: 30_000, redirects: 5 };

export interface FetchOptions {
  readonly signal?: AbortSignal;
  readonly limits?: FetchLimits;
  /** Whether a connection may be made to an address; those of the public internet when left out. */
  readonly mayConnect?: (address: string) => boolean;
}

/** Fetches a file over HTTP or HTTPS. Rejects with `FetchError`, and with the signal's reason. */
export async function fetchFile(address: string, options: FetchOptions = {}): Promise<Buffer> {
  const { signal, limits = PICTURE_LIMITS, mayConnect = isPublicAddress } = options;
  const shown = JSON.stringify(shorten(address, 120));
  const late = new FetchError(`${shown} took longer than ${limits.time / 1000} s`);
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(late);
  }, limits.time);
  const abort = () => {
    limit.abort(signal?.reason);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    let url = checkedUrl(address, address);
    for (let hops = 0; hops <= limits.redirects; hops++) {
      const answer = await ask(url, { shown, limits, mayConnect, signal: limit.signal });
      if (Buffer.isBuffer(answer)) return answer;
      url = checkedUrl(answer.location, address, url);
    }
    throw new FetchError(`${shown} sends on more than ${limits.redirects} times`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** An address of HTTP or HTTPS without a name and password; `from` is where a redirect comes from. */
function checkedUrl(text: string, first: string, from?: URL): URL {
  const shown = JSON.stringify(shorten(first, 120));
  const what =
    from === undefined ? shown : `${shown} sends on to ${JSON.stringify(shorten(text, 120))}, which`;
  if (!URL.canParse(text, from?.href)) throw new FetchError(`${what} is no address`);
  const url = new URL(text, from);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FetchError(`${what} is no address of http or https`);
  }
  if (from?.protocol === 'https:' && url.protocol === 'http:') {
    throw new FetchError(`${what} is in clear: it isn't followed`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new FetchError(`${what} holds a name and a password: they are not sent`);
  }
  return url;
}

interface Asking {
  readonly shown: string;
  readonly limits: FetchLimits;
  readonly mayConnect: (address: string) => boolean;
  readonly signal: AbortSignal;
}

/** The file, or where it is to be had. */
function ask(
  url: URL,
  { shown, limits, mayConnect, signal }: Asking,
): Promise<Buffer | { readonly location: string }> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const refusal = () => new FetchError(`${shown} is of no public host: ${shorten(host, 120)}`);
  // What is an address already is not looked up.
  if (isIP(host) !== 0 && !mayConnect(host)) return Promise.reject(refusal());
  const lookup: LookupFunction = (name, options, done) => {
    resolveName(name, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) {
        done(error, '', 0);
      } else if (found.length === 0 || !found.every(({ address }) => mayConnect(address))) {
        done(refusal(), '', 0);
      } else if (options.all === true) {
        done(null, found);
      } else {
        done(null, found[0]!.address, found[0]!.family);
      }
    });
  };
  return new Promise((done, fail) => {
    const failed = (error: unknown) => {
      if (error instanceof FetchError) fail(error);
      else if (signal.aborted) fail(signal.reason as Error);
      else
        fail(
          new FetchError(`${shown} can't be fetched: ${shorten(messageOf(error), 200)}`, { cause: error }),
        );
    };
    const { get } = url.protocol === 'https:' ? https : http;
    const headers = { 'user-agent': 'latentd', 'accept-encoding': 'identity' };
    // A connection of its own: no other one's address counts.
    const request = get(url, { lookup, signal, headers, agent: false }, (response) => {
      const { statusCode = 0 } = response;
      const { location } = response.headers;
      response.on('error', failed);
      if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
        response.destroy();
        done({ location });
      } else if (statusCode !== 200) {
        response.destroy();
        fail(new FetchError(`${shown} answers ${statusCode}`));
      } else {
        collect(response, limits.bytes, shown).then(done, failed);
      }
    });
    request.on('error', failed);
  });
}

async function collect(response: http.IncomingMessage, limit: number, shown: string): Promise<Buffer> {
  const tooLong = () => new FetchError(`${shown} has more than ${limit} bytes`);
  if (Number(response.headers['content-length'] ?? 0) > limit) {
    response.destroy();
    throw tooLong();
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
