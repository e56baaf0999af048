/** Inputs that workflows name as `s3://BUCKET/KEY`, and where their copies lie. */
import { createHash } from 'node:crypto';
import { join, posix } from 'node:path';

export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** Undefined for a text that is no such name. */
export function objectName(text: string): ObjectName | undefined {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/s.exec(text) ?? [];
  if (bucket === undefined || key === undefined || key.length > 1024 || /[\0\r\n]/.test(key))
    return undefined;
  return { bucket, key };
}

export const COPIES_FOLDER = 's3';

/** Below the temp folder. The file's own name stays, for what tells films by their extension. */
export function copyPath(temp: string, { bucket, key }: ObjectName): string {
  const hash = createHash('sha256').update(`${bucket}/${key}`).digest('hex').slice(0, 32);
  const name = posix
    .basename(key)
    .replaceAll(/[^\w.-]/g, '_')
    .slice(-100);
  return join(temp, COPIES_FOLDER, hash, name === '' || /^\.+$/.test(name) ? 'object' : name);
}
