import { ClientError, JobFailure } from './client.js';
import { JobFeed } from './job-feed.js';

/** The feeds of the jobs that a client follows. `begin` hears of a job from now on, and tells its feed of an end that was not heard. */
export class JobFeeds {
  private readonly feeds = new Map<string, JobFeed>();

  constructor(private readonly begin: (id: string, feed: JobFeed) => Promise<void>) {}

  get(id: string): JobFeed | undefined {
    return this.feeds.get(id);
  }

  /** Of a job that is about to be asked for. */
  add(id: string): void {
    this.feeds.set(id, new JobFeed());
  }

  forget(id: string): void {
    this.feeds.delete(id);
  }

  [Symbol.iterator](): IterableIterator<[string, JobFeed]> {
    return this.feeds.entries();
  }

  /** A job's feed; one that is over by now says so. */
  async follow(id: string): Promise<JobFeed> {
    const known = this.feeds.get(id);
    if (known !== undefined) return known;
    const feed = new JobFeed();
    this.feeds.set(id, feed);
    await this.begin(id, feed);
    return feed;
  }

  /** Resolves once the job is completed. Throws `JobFailure` when it ends otherwise. */
  async completed(id: string): Promise<void> {
    const { state, error } = await (await this.follow(id)).end();
    this.feeds.delete(id);
    if (state !== 'completed') throw new JobFailure(id, state, error ?? `the job was ${state}`);
  }

  /** Whoever still waits is told that the client was closed. */
  close(): void {
    for (const feed of this.feeds.values())
      feed.fail(new ClientError('unreachable', 'the client was closed'));
  }
}
