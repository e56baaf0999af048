/** What the world is told of jobs, in no protocol's words: each front translates it into its clients'. */
import type { JobEvent } from '../engine-process/messages.js';
import type { JobMetadata, JobOutcome, QueuedJob } from './job.js';
import type { PhaseReport } from './phases.js';

export type JobNotice = { readonly job: QueuedJob } &
  /** It is durable and waits. */
  (
    | { readonly kind: 'accepted' }
    /**
     * Its execution begins: told once, however many attempts it takes. `at` is Unix time in milliseconds, `told` the share of it
     * that an earlier daemon may have told is done, 0 to 1.
     */
    | {
        readonly kind: 'started';
        readonly at: number;
        readonly metadata: JobMetadata;
        readonly told: number;
      }
    /** Something happened in the engine process that runs it. */
    | { readonly kind: 'event'; readonly event: JobEvent }
    /** How far it is: what the events come to. Told after the event that changed it. */
    | { readonly kind: 'progress'; readonly report: PhaseReport; readonly secondsLeft: number }
    /** The daemon stops, and it waits again. */
    | { readonly kind: 'returned' }
    /** The outcome is durable. The last word on it. */
    | { readonly kind: 'over'; readonly outcome: JobOutcome }
  );

export type JobListener = (notice: JobNotice) => void;

/** Tells every listener; one that throws is reported, and the others hear it all the same. */
export class JobNotices {
  private readonly listeners = new Set<JobListener>();

  constructor(private readonly onFault: (error: Error) => void) {}

  /** Returns what ends it. */
  subscribe(listener: JobListener): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  tell(notice: JobNotice): void {
    for (const listener of this.listeners) {
      try {
        listener(notice);
      } catch (error) {
        this.onFault(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }
}
