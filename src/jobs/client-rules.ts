/** What a client may ask of a queue that it shares with others. */
import type { JobClient } from './job.js';
import { Refusal } from './refusal.js';

export interface ClientRules {
  /** Whose job is next among those of a priority: clients take turns, or the one that came first. */
  readonly order: 'turns' | 'arrival';
  /** Jobs of one client that run at once; no limit when left out. */
  readonly concurrency?: number;
  /** Jobs that one client may submit within a minute; no limit when left out. */
  readonly jobsAMinute?: number;
}

export const NO_RULES: ClientRules = { order: 'turns' };

/** Tells clients apart. One that its front can't tell from others is that front. */
export function clientKey({ front, id = '' }: JobClient): string {
  return `${front}\n${id}`;
}

/** A client that asks too often. */
export class TooManyJobs extends Refusal {
  override readonly name = 'TooManyJobs';
  override readonly status = 429;

  constructor(
    limit: number,
    readonly retryAfterSeconds: number,
  ) {
    super(
      `Too many jobs: a client may submit ${limit} a minute; try again in ${Math.ceil(retryAfterSeconds)} s`,
    );
  }
}

const WINDOW_MS = 60_000;

/** When clients submitted, as long as it counts. */
export class ClientRates {
  private readonly times = new Map<string, number[]>();
  private sweptAt = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Counts a job. Throws `TooManyJobs` where it would be one too many, which isn't counted then. */
  count(client: JobClient, limit: number | undefined): void {
    if (limit === undefined) return;
    const now = this.now();
    this.sweep(now);
    const key = clientKey(client);
    const recent = (this.times.get(key) ?? []).filter((time) => now - time < WINDOW_MS);
    const [oldest = now] = recent.slice(-limit);
    if (recent.length >= limit) throw new TooManyJobs(limit, (oldest + WINDOW_MS - now) / 1000);
    recent.push(now);
    this.times.set(key, recent);
  }

  /** Clients that were not seen for a while are forgotten. */
  private sweep(now: number): void {
    if (now - this.sweptAt < WINDOW_MS) return;
    this.sweptAt = now;
    for (const [key, times] of this.times) {
      if (now - (times.at(-1) ?? 0) >= WINDOW_MS) this.times.delete(key);
    }
  }
}
