/** From settings to a store. */
import type { ArtifactStore } from './artifact.js';
import { folderStore } from './folder-store.js';
import { bucketStore } from './s3/bucket-store.js';
import type { S3Access } from './s3/access.js';

/** Plain data, which another process can open a store with. */
export interface StoreSettings {
  /** `s3://BUCKET[/PREFIX]`, or a folder. */
  readonly store?: string;
  readonly s3: S3Access;
}

/** Undefined where none is set. Nothing is loaded or asked before something is stored. */
export function openStore({ store, s3 }: StoreSettings): ArtifactStore | undefined {
  if (store === undefined) return undefined;
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(store) ?? [];
  return bucket === undefined ? folderStore(store) : bucketStore(bucket, prefix.replace(/\/+$/, ''), s3);
}
