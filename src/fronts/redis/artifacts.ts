/** What workflows made, under names that follow from the content: made twice, it is stored once. */
import { link, mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Artifact } from '../../store/artifact.js';
import { contentKey, contentTypeOf } from '../../store/content-key.js';

export interface Artifacts {
  /** Takes a file that a workflow saved: it is the artifact's from now on. */
  put(file: string): Promise<Artifact>;
  /** What LoadImage and VHS_LoadVideo take for an artifact, `NAME` or `NAME [output]`. Throws `ArtifactError`. */
  nodeInput(reference: ArtifactReference): Promise<string>;
}

export interface ArtifactReference {
  readonly bucket: string;
  readonly key: string;
}

export class ArtifactError extends Error {
  override readonly name = 'ArtifactError';
}

const FOLDER = 'artifacts';

/**
 * Without a store: in the output folder, whose bucket is `output`; files of the input folder are of the bucket `input`. Other
 * buckets are those that workflows may read from.
 */
export function localArtifacts(
  folders: { readonly input: string; readonly output: string },
  buckets: readonly string[],
): Artifacts {
  return {
    async put(file) {
      const key = await contentKey(file, FOLDER, new AbortController().signal);
      const place = join(folders.output, key);
      await mkdir(dirname(place), { recursive: true });
      await link(file, place).catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      });
      await rm(file, { force: true });
      const { size, mtime } = await stat(place);
      return {
        ...{ bucket: 'output', key, size_bytes: size },
        created_at: mtime.toISOString(),
        content_type: contentTypeOf(file),
      };
    },
    async nodeInput({ bucket, key }) {
      if (buckets.includes(bucket)) return `s3://${bucket}/${key}`;
      const folder = bucket === 'input' ? folders.input : bucket === 'output' ? folders.output : undefined;
      if (folder === undefined) {
        const known = ['input', 'output', ...buckets].join(', ');
        throw new ArtifactError(
          `there is no bucket ${JSON.stringify(bucket.slice(0, 100))}; there are ${known}`,
        );
      }
      const inside = relative(folder, join(folder, key));
      if (inside === '' || inside.startsWith('..') || key.includes('\0')) {
        throw new ArtifactError(`${JSON.stringify(key.slice(0, 200))} is no key of the bucket ${bucket}`);
      }
      const found = await stat(join(folder, inside)).catch(() => undefined);
      if (found?.isFile() !== true) {
        throw new ArtifactError(`the bucket ${bucket} has no ${JSON.stringify(key.slice(0, 200))}`);
      }
      return `${inside} [${bucket}]`;
    },
  };
}
