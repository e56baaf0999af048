/** Clients of S3 and what speaks like it: AWS, MinIO, R2. The SDK is loaded where a bucket is configured, and nowhere else. */
import type { S3Client } from '@aws-sdk/client-s3';
import { StoreError } from '../artifact.js';
import type { S3Access } from './access.js';

type Sdk = typeof import('@aws-sdk/client-s3');

export interface OpenedS3 {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/** Throws `StoreError` where the SDK isn't installed. */
export async function openS3({ endpoint, region, pathStyle }: S3Access): Promise<OpenedS3> {
  // What it says of versions of Node is for whoever installs it, not for the log of every engine.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const sdk = await installed(() => import('@aws-sdk/client-s3'));
  const chosen = region ?? (endpoint === undefined || process.env['AWS_REGION'] ? undefined : 'us-east-1');
  const client = new sdk.S3Client({
    ...(endpoint !== undefined && { endpoint }),
    ...(chosen !== undefined && { region: chosen }),
    ...(pathStyle !== undefined && { forcePathStyle: pathStyle }),
    // Not every store has AWS's newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return { sdk, client };
}

/** A part of the SDK. Throws `StoreError` where it isn't installed. */
export async function installed<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause;
    throw new StoreError(
      's3:// needs the AWS SDK: npm install @aws-sdk/client-s3 @aws-sdk/lib-storage @aws-sdk/s3-request-presigner',
      { cause },
    );
  }
}

/** Whether another try may succeed: the network, a server that is down or busy; not what a client has done wrong. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof StoreError) return false;
  const status = statusOf(error);
  if (status !== undefined) return status >= 500 || status === 408 || status === 429;
  return !/Credentials|InvalidBucketName|Region is missing|ENOENT|EACCES/.test(
    `${error.name} ${error.message}`,
  );
}

export function statusOf(error: unknown): number | undefined {
  const { $metadata: metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return metadata?.httpStatusCode;
}

/** What went wrong with an object, for whoever runs the job. */
export function s3Fault(what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const status = statusOf(error);
  const text = [name, message].filter((part) => part !== '' && part !== 'Error').join(': ');
  return new StoreError(`${what}: ${text}${status === undefined ? '' : ` (status ${status})`}`, {
    cause: error,
  });
}
