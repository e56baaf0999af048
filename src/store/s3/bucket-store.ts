/** A store that is a bucket. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Artifact, ArtifactStore } from '../artifact.js';
import { contentKey, contentTypeOf } from '../content-key.js';
import { withPatience } from '../patience.js';
import type { S3Access } from './access.js';
import { installed, mayPass, openS3, s3Fault, statusOf, type OpenedS3 } from './client.js';

/** Parts of an upload: so many are in memory at once, of so many bytes. */
const PARTS = 4;
const PART_BYTES = 8 * 2 ** 20;

/** The longest that AWS signs for. */
const MAX_URL_SECONDS = 7 * 86_400;

export function bucketStore(bucket: string, prefix: string, access: S3Access): ArtifactStore {
  let opened: Promise<OpenedS3> | undefined;
  const s3 = () => (opened ??= openS3(access));
  return {
    async put(path, signal, notice): Promise<Artifact> {
      const key = await contentKey(path, prefix, signal);
      const { size } = await stat(path);
      const content_type = contentTypeOf(path);
      try {
        const { sdk, client } = await s3();
        const { Upload } = await installed(() => import('@aws-sdk/lib-storage'));
        const created = await withPatience(
          async () => {
            const known = await storedAt({ sdk, client }, { bucket, key, size }, signal);
            if (known !== undefined) return known;
            const upload = new Upload({
              client,
              params: { Bucket: bucket, Key: key, Body: createReadStream(path), ContentType: content_type },
              queueSize: PARTS,
              partSize: PART_BYTES,
            });
            const abort = () => void upload.abort();
            signal.addEventListener('abort', abort, { once: true });
            try {
              await upload.done();
            } finally {
              signal.removeEventListener('abort', abort);
            }
            return new Date();
          },
          { mayPass, signal, notice },
        );
        return { bucket, key, size_bytes: size, created_at: created.toISOString(), content_type };
      } catch (error) {
        if (signal.aborted) throw error;
        throw s3Fault(`an output can't be stored as s3://${bucket}/${key}`, error);
      }
    },
    async url(artifact, seconds) {
      const { sdk, client } = await s3();
      const { getSignedUrl } = await installed(() => import('@aws-sdk/s3-request-presigner'));
      const command = new sdk.GetObjectCommand({ Bucket: artifact.bucket, Key: artifact.key });
      return getSignedUrl(client, command, { expiresIn: Math.min(seconds, MAX_URL_SECONDS) });
    },
  };
}

/** When an object of this size was stored; undefined where there is none, or nothing may be asked of it. */
async function storedAt(
  { sdk, client }: OpenedS3,
  { bucket, key, size }: { readonly bucket: string; readonly key: string; readonly size: number },
  signal: AbortSignal,
): Promise<Date | undefined> {
  try {
    const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }), {
      abortSignal: signal,
    });
    return head.ContentLength === size ? (head.LastModified ?? new Date()) : undefined;
  } catch (error) {
    const status = statusOf(error);
    // Without the right to list, a missing object is forbidden.
    if (status === 404 || status === 403) return undefined;
    throw error;
  }
}
