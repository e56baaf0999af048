/** What workflows made, under names that follow from the content: made twice, it is stored once. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Where something is kept, as MySpinBot's artifact schema has it. */
export interface Artifact {
  readonly bucket: string;
  readonly key: string;
  readonly size_bytes: number;
  readonly created_at: string;
  readonly content_type?: string;
}

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

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.mkv': 'video/x-matroska',
  '.flac': 'audio/flac',
  '.wav': 'audio/wav',
  '.mp3': 'audio/mpeg',
  '.latent': 'application/octet-stream',
};

const FOLDER = 'artifacts';

/** In the output folder, whose bucket is `output`; files of the input folder are of the bucket `input`. */
export function localArtifacts(folders: { readonly input: string; readonly output: string }): Artifacts {
  return {
    async put(file) {
      const extension = extname(file).toLowerCase();
      const hash = createHash('sha256');
      await pipeline(createReadStream(file), hash);
      const digest = hash.digest('hex');
      const key = join(FOLDER, digest.slice(0, 2), `${digest}${extension}`);
      const place = join(folders.output, key);
      await mkdir(dirname(place), { recursive: true });
      await link(file, place).catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      });
      await rm(file, { force: true });
      const { size, mtime } = await stat(place);
      const type = CONTENT_TYPES[extension];
      return {
        bucket: 'output',
        key,
        size_bytes: size,
        created_at: mtime.toISOString(),
        ...(type !== undefined && { content_type: type }),
      };
    },
    async nodeInput({ bucket, key }) {
      const folder = bucket === 'input' ? folders.input : bucket === 'output' ? folders.output : undefined;
      if (folder === undefined) {
        throw new ArtifactError(`there is no bucket ${JSON.stringify(bucket)}; there are input and output`);
      }
      const inside = relative(folder, join(folder, key));
      if (inside.startsWith('..') || basename(inside) === '' || key.includes('\0')) {
        throw new ArtifactError(`${JSON.stringify(key)} is no key of the bucket ${bucket}`);
      }
      const found = await stat(join(folder, inside)).catch(() => undefined);
      if (found?.isFile() !== true)
        throw new ArtifactError(`the bucket ${bucket} has no ${JSON.stringify(key)}`);
      return `${inside} [${bucket}]`;
    },
  };
}
