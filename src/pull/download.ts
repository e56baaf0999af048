/** The bytes of a remote file, over several connections, to where they belong; a stopped run is gone on with. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, rmSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeFolder } from '../make-folder.js';
import { PartFile } from './part-file.js';
import { PullError } from './pull-error.js';
import { missingPieces, type Range } from './ranges.js';
import { ask, networkFault } from './request.js';
import type { RemoteFile } from './sites.js';

export interface DownloadOptions {
  /** At once, where the server gives parts of files. */
  readonly connections: number;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of a request. */
  readonly piece?: number;
  /** What is there under that name is replaced. */
  readonly replace?: boolean;
}

export interface DownloadProgress {
  readonly doing: 'fetching' | 'checking';
  readonly bytes: number;
  readonly size: number | undefined;
}

export interface Downloaded {
  /** False where the whole file was there already. */
  readonly fetched: boolean;
  readonly size: number;
  readonly sha256: string | undefined;
}

const PIECE = 16 * 2 ** 20;
/** Failures one after another, none of them bringing a byte. */
const PATIENCE = 6;

/**
 * Fetches `remote` to `path`; folders on the way are made. Throws `PullError`; what came until then stays beside it for the next run,
 * but for bytes that turned out to be wrong.
 */
export async function download(
  remote: RemoteFile,
  path: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  const known = await probe(remote, options.signal);
  if (existsSync(path) && options.replace !== true) {
    const { size } = statSync(path);
    if (known.size === undefined || known.size === size)
      return { fetched: false, size, sha256: remote.sha256 };
    throw new PullError(`${path} is there, with ${size} bytes instead of ${known.size}; --force replaces it`);
  }
  makeFolder(dirname(path));
  const part = PartFile.open(path, { size: known.size, etag: known.etag, sha256: remote.sha256 });
  try {
    checkSpace(part, known.size, dirname(path));
    await fetchInto(part, remote, known, options);
  } catch (error) {
    part.close();
    throw error;
  }
  return settle(part, remote, path, options);
}

interface Known {
  readonly size: number | undefined;
  readonly etag: string | undefined;
  readonly inParts: boolean;
}

/** What the server says of the bytes, and whether it gives parts of them. */
async function probe(remote: RemoteFile, signal: AbortSignal | undefined): Promise<Known> {
  let response: Response;
  try {
    response = await ask({ url: remote.url, token: remote.token, headers: { range: 'bytes=0-0' }, signal });
  } catch (error) {
    // An empty file has no first byte.
    if (remote.size === 0 && error instanceof PullError) return { size: 0, etag: undefined, inParts: false };
    throw error;
  }
  await response.body?.cancel();
  const inParts = response.status === 206;
  const total = inParts
    ? /^bytes \d+-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]
    : (response.headers.get('content-length') ?? undefined);
  const size = total === undefined ? remote.size : Number(total);
  if (remote.size !== undefined && size !== remote.size) {
    throw new PullError(
      `${remote.url.host} has ${size ?? 'unknown'} bytes where ${remote.size} were promised`,
    );
  }
  // Weak ones may be the same for other bytes (RFC 9110, section 8.8.1).
  const etag = response.headers.get('etag') ?? undefined;
  return {
    size,
    etag: etag?.startsWith('W/') === true ? undefined : etag,
    inParts: inParts && size !== undefined,
  };
}

function checkSpace(part: PartFile, size: number | undefined, folder: string): void {
  if (size === undefined) return;
  const { bavail, bsize } = statfsSync(folder);
  const needed = size - part.bytes;
  if (needed <= bavail * bsize) return;
  throw new PullError(`${folder} has ${bavail * bsize} bytes left; ${needed} are needed`);
}

async function fetchInto(
  part: PartFile,
  remote: RemoteFile,
  known: Known,
  options: DownloadOptions,
): Promise<void> {
  if (known.size === 0) return;
  const progress = () => options.onProgress?.({ doing: 'fetching', bytes: part.bytes, size: known.size });
  progress();
  if (!known.inParts || known.size === undefined) {
    await patiently(part, options.signal, async () => {
      part.restart();
      await fetchPiece(part, remote, known, undefined, progress, options.signal);
    });
    return;
  }
  // One failure ends the others, and so does whoever stops it all.
  const ending = new AbortController();
  const stop = (): void => {
    ending.abort(options.signal?.reason);
  };
  options.signal?.addEventListener('abort', stop);
  const { signal } = ending;
  const pieces = [...missingPieces(part.have, known.size, options.piece ?? PIECE)];
  const work = async (): Promise<void> => {
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
      const [first, end] = piece;
      let at = first;
      await patiently(part, signal, async () => {
        await fetchPiece(part, remote, known, [at, end], (now) => ((at = now), progress()), signal);
      });
      part.save();
    }
  };
  const workers = Array.from({ length: Math.max(1, Math.min(options.connections, pieces.length)) }, work);
  const ends = await Promise.allSettled(
    workers.map((worker) =>
      worker.catch((error: unknown) => {
        ending.abort();
        throw error;
      }),
    ),
  );
  options.signal?.removeEventListener('abort', stop);
  options.signal?.throwIfAborted();
  // The first of them is why the others ended.
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error] : []));
  const why = failures.find((failure) => failure instanceof PullError) ?? failures[0];
  if (why !== undefined) throw why;
}

/** Tries again what may pass, for as long as bytes keep coming. */
async function patiently(
  part: PartFile,
  signal: AbortSignal | undefined,
  attempt: () => Promise<void>,
): Promise<void> {
  for (let failures = 1; ; failures++) {
    const before = part.bytes;
    try {
      await attempt();
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof PullError) || !error.passing) throw error;
      if (part.bytes > before) failures = 1;
      if (failures >= PATIENCE) throw error;
      await wait(100 * 2 ** failures, undefined, { signal });
    }
  }
}

/** Fetches [start, end), or all of it, telling after each write how far it is. */
async function fetchPiece(
  part: PartFile,
  remote: RemoteFile,
  known: Known,
  range: Range | undefined,
  wrote: (at: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const headers = range === undefined ? {} : { range: `bytes=${range[0]}-${range[1] - 1}` };
  const response = await ask({ url: remote.url, token: remote.token, headers, signal });
  const etag = response.headers.get('etag') ?? undefined;
  if (known.etag !== undefined && etag !== known.etag) {
    throw new PullError(`${remote.url.host} has another file there now; pull it again`);
  }
  if (range !== undefined) {
    const given = /^bytes (\d+)-(\d+)\//.exec(response.headers.get('content-range') ?? '');
    if (response.status !== 206 || Number(given?.[1]) !== range[0] || Number(given?.[2]) !== range[1] - 1) {
      throw new PullError(`${remote.url.host} answers with other bytes than it was asked for`);
    }
  }
  let at = range?.[0] ?? 0;
  const end = range?.[1] ?? known.size ?? Infinity;
  try {
    for await (const bytes of bytesOfBody(response, signal)) {
      if (at + bytes.length > end) throw new PullError(`${remote.url.host} sends more bytes than it said`);
      part.write(bytes, at);
      wrote((at += bytes.length));
    }
  } catch (error) {
    if (error instanceof PullError || signal?.aborted === true || isDiskFault(error)) throw error;
    throw new PullError(`${remote.url.host} broke off: ${networkFault(error)}`, {
      cause: error,
      passing: true,
    });
  }
  if (at < end && end !== Infinity) throw new PullError(`${remote.url.host} broke off`, { passing: true });
}

/**
 * What comes, until the end or until it is stopped: Node 20 leaves a reader waiting for ever where a request is aborted whose answer
 * has come whole.
 */
async function* bytesOfBody(response: Response, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  let stop: (() => void) | undefined;
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => {
      resolve(undefined);
    };
    signal?.addEventListener('abort', stop);
  });
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), stopped]);
      signal?.throwIfAborted();
      if (next === undefined || next.done) return;
      yield next.value as Uint8Array;
    }
  } finally {
    if (stop !== undefined) signal?.removeEventListener('abort', stop);
    // Nobody waits for it, for the same reason.
    reader.cancel().catch(() => undefined);
  }
}

/** A full or failing disk, as writing meets it. */
function isDiskFault(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'write';
}

/** Holds the bytes against their hash, and gives the file its name. */
async function settle(
  part: PartFile,
  remote: RemoteFile,
  path: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  let sha256: string;
  try {
    sha256 = await hashOf(part, options);
  } catch (error) {
    part.close();
    throw error;
  }
  if (remote.sha256 !== undefined && sha256 !== remote.sha256) {
    part.discard();
    throw new PullError(
      `${path} came with SHA-256 ${sha256} instead of ${remote.sha256}, and was thrown away`,
    );
  }
  const size = part.bytes;
  if (options.replace === true) rmSync(path, { force: true });
  part.finish();
  return { fetched: true, size, sha256 };
}

async function hashOf(part: PartFile, { onProgress, signal }: DownloadOptions): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  const size = part.bytes;
  const stream = createReadStream(part.partPath, {
    highWaterMark: 2 ** 22,
    ...(signal !== undefined && { signal }),
  });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    onProgress?.({ doing: 'checking', bytes: (bytes += chunk.length), size });
  }
  return hash.digest('hex');
}
