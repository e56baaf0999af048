/** A store that is a folder: one that several machines mount, or that something else carries away. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Artifact, ArtifactStore } from './artifact.js';
import { contentKey, contentTypeOf } from './content-key.js';

export function folderStore(folder: string): ArtifactStore {
  return {
    async put(path, signal): Promise<Artifact> {
      const key = await contentKey(path, '', signal);
      const place = join(folder, key);
      const known = await stat(place).catch(() => undefined);
      if (known === undefined) await putInPlace(path, place);
      const { size, mtime } = known ?? (await stat(place));
      return {
        // Clients are told of it, and the machine's own paths are nothing to them.
        bucket: basename(folder),
        key,
        size_bytes: size,
        created_at: mtime.toISOString(),
        content_type: contentTypeOf(path),
      };
    },
    url: () => Promise.resolve(undefined),
  };
}

/** Whole as soon as it is there; the same file where the file system can, a copy elsewhere. */
async function putInPlace(path: string, place: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  const partial = join(dirname(place), `.latentd-${randomUUID()}`);
  try {
    await link(path, partial).catch(() => copyFile(path, partial, constants.COPYFILE_FICLONE));
    await rename(partial, place);
  } finally {
    // A link that is renamed to another of the same file stays (rename(2)).
    await rm(partial, { force: true });
  }
}
