/** Where outputs are kept beside the output folder: in a folder that others see, or in a bucket. */

/** A stored file, in the words of those who will fetch it. */
export interface Artifact {
  /** A bucket, or the name of the folder where a store is one. */
  readonly bucket: string;
  /** `PREFIX/ab/abcdef….png`: of the content, so that what is stored twice is there once. */
  readonly key: string;
  readonly size_bytes: number;
  /** ISO 8601. */
  readonly created_at: string;
  readonly content_type: string;
}

export interface ArtifactStore {
  /**
   * Stores a file under a key of its content, unless it is there already; streamed, never whole in memory. While the store can't be reached it
   * tries again, until `signal` is aborted; rejects with `StoreError` for what trying again won't mend.
   */
  put(path: string, signal: AbortSignal, notice: (text: string) => void): Promise<Artifact>;
  /** An address under which anybody may fetch it for so many seconds. Undefined where a store has none. */
  url(artifact: Artifact, seconds: number): Promise<string | undefined>;
}

export class StoreError extends Error {
  override readonly name = 'StoreError';
}
