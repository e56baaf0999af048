/** Brings inputs from buckets into the temp folder, before a workflow reads them. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StoreError } from './artifact.js';
import { copyPath, COPIES_FOLDER, objectName, type ObjectName } from './object-name.js';
import { withPatience } from './patience.js';
import type { S3Access } from './s3/access.js';
import { mayPass, openS3, s3Fault, statusOf, type OpenedS3 } from './s3/client.js';

/** Copies beyond so many bytes go, those that were used longest ago first. */
const MAX_COPIED_BYTES = 20 * 2 ** 30;

export interface InputStore {
  /** Copies what these names mean, where it has changed since. Rejects with `StoreError` for what isn't there or may not be read. */
  fetch(names: Iterable<string>, signal: AbortSignal, notice: (text: string) => void): Promise<void>;
}

/** Reads from these buckets and from no other. */
export function inputStore(temp: string, buckets: readonly string[], access: S3Access): InputStore {
  let opened: Promise<OpenedS3> | undefined;
  return {
    async fetch(names, signal, notice) {
      const objects = [...new Set(names)]
        .flatMap((name) => objectName(name) ?? [])
        .filter(({ bucket }) => buckets.includes(bucket));
      if (objects.length === 0) return;
      const s3 = await (opened ??= openS3(access));
      for (const object of objects) {
        try {
          await withPatience(() => copy(s3, object, copyPath(temp, object), signal), {
            mayPass,
            signal,
            notice,
          });
        } catch (error) {
          if (signal.aborted) throw error;
          const name = `s3://${object.bucket}/${object.key}`;
          if (statusOf(error) === 404) throw new StoreError(`there is no ${name}`, { cause: error });
          throw s3Fault(`${name} can't be read`, error);
        }
      }
      await prune(
        join(temp, COPIES_FOLDER),
        new Set(objects.map((object) => dirname(copyPath(temp, object)))),
      );
    },
  };
}

/** An `etag` beside the copy says which state of the object it is. */
async function copy(
  { sdk, client }: OpenedS3,
  { bucket, key }: ObjectName,
  place: string,
  signal: AbortSignal,
): Promise<void> {
  const folder = dirname(place);
  const note = join(folder, '.etag');
  const isThere = await stat(place).then(
    () => true,
    () => false,
  );
  const known = isThere ? await readFile(note, 'utf8').catch(() => undefined) : undefined;
  try {
    const command = new sdk.GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ...(known !== undefined && { IfNoneMatch: known }),
    });
    const { Body, ETag } = await client.send(command, { abortSignal: signal });
    if (Body === undefined) throw new StoreError('it has no content');
    await mkdir(folder, { recursive: true });
    const partial = join(folder, `.latentd-${randomUUID()}`);
    try {
      await pipeline(Body as Readable, createWriteStream(partial, { mode: 0o600 }), { signal });
      await rename(partial, place);
    } finally {
      await rm(partial, { force: true });
    }
    if (ETag !== undefined) await writeFile(note, ETag);
  } catch (error) {
    if (statusOf(error) !== 304) throw error;
    const now = new Date();
    await utimes(note, now, now);
  }
}

/** Another job may be at a copy; what it has open stays readable. */
async function prune(folder: string, kept: ReadonlySet<string>): Promise<void> {
  const copies: { readonly path: string; readonly bytes: number; readonly used: number }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    let bytes = 0;
    let used = 0;
    for (const file of await readdir(path).catch(() => [])) {
      const facts = await stat(join(path, file)).catch(() => undefined);
      bytes += facts?.size ?? 0;
      used = Math.max(used, facts?.mtimeMs ?? 0);
    }
    copies.push({ path, bytes, used });
  }
  let total = copies.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of copies.sort((a, b) => a.used - b.used)) {
    if (total <= MAX_COPIED_BYTES) return;
    if (kept.has(path)) continue;
    await rm(path, { recursive: true, force: true });
    total -= bytes;
  }
}
