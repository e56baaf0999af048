/** A server of buckets in this process, which may be closed and come back with what it had. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';

/** What s3rver takes. */
export const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'S3RVER',
  AWS_SECRET_ACCESS_KEY: 'S3RVER',
  AWS_REGION: 'us-east-1',
};

export class BucketServer {
  /** `EVENT KEY`, of every object that was written. */
  readonly written: string[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'latentd-s3-'));
  private server: S3rver | undefined;
  private port = 0;

  constructor(private readonly buckets: readonly string[]) {}

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.server = new S3rver({
      port: this.port,
      address: '127.0.0.1',
      silent: true,
      directory: this.folder,
      configureBuckets: this.buckets.map((name) => ({ name, configs: [] })),
    });
    this.server.on(
      'event',
      (event: { Records: { eventName: string; s3: { object: { key: string } } }[] }) => {
        for (const { eventName, s3 } of event.Records) this.written.push(`${eventName} ${s3.object.key}`);
      },
    );
    ({ port: this.port } = await this.server.run());
  }

  async stop(): Promise<void> {
    const closed = this.server?.close();
    // Clients keep theirs open.
    this.server?.httpServer.closeAllConnections();
    await closed;
  }

  async remove(): Promise<void> {
    if (this.server?.httpServer.listening === true) await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
