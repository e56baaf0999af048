/** Accepted jobs in the order in which they will run: in memory for speed, in the journal for safety. */
import type { Estimates } from './estimates.js';
import type { Job, QueuedJob } from './job.js';
import type { Acceptance } from './journal-database.js';
import type { Journal } from './journal.js';
import { WaitingTime } from './waiting-time.js';

/** A job that is turned away; the text goes to the client as it is. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

export class JobQueue {
  /** Accepted and durable; by priority, then oldest first. */
  private readonly waiting: QueuedJob[] = [];
  /** Jobs whose acceptance is on its way to the disk. */
  private arriving = 0;
  private readonly time: WaitingTime;
  private readonly wakers = new Set<() => void>();

  constructor(
    private readonly journal: Pick<Journal, 'accept'>,
    recovered: readonly QueuedJob[],
    private readonly capacity: () => number,
    estimates: Pick<Estimates, 'seconds' | 'version'>,
  ) {
    this.time = new WaitingTime(estimates);
    for (const job of recovered) this.insert(job);
  }

  /** Seconds that all waiting jobs should take, one after the other. */
  get seconds(): number {
    return this.time.seconds;
  }

  /** Jobs that wait or are about to. */
  get size(): number {
    return this.waiting.length + this.arriving;
  }

  /** Jobs in the order in which they will run. */
  get pending(): readonly QueuedJob[] {
    return this.waiting;
  }

  /** Resolves once the job is durable. Throws `Refusal` when the queue is full or a job of that id waits or runs. */
  async accept(job: Job): Promise<QueuedJob> {
    if (this.size >= this.capacity()) throw new Refusal('Queue full');
    const { id, client, priority, load } = job;
    let accepted: Acceptance | undefined;
    this.arriving++;
    try {
      accepted = await this.journal.accept(job, Date.now());
    } finally {
      this.arriving--;
    }
    if (accepted === undefined) {
      throw new Refusal(`Invalid parameter: id: there is or was a job ${id}; status with job_id tells of it`);
    }
    const queued = { ...accepted, id, client, priority, load, interruptions: 0 };
    this.insert(queued);
    return queued;
  }

  /** Resolves when a job waits, or `signal` is aborted. */
  async untilWaiting(signal: AbortSignal): Promise<void> {
    while (this.waiting.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.wakers.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.wakers.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }

  /** Takes the next job out of the queue. */
  take(): QueuedJob | undefined {
    const job = this.waiting.shift();
    if (job !== undefined) this.time.remove(job.load);
    return job;
  }

  /** Puts a job back into its old place. */
  putBack(job: QueuedJob): void {
    this.insert(job);
  }

  /** Takes a waiting job out of the queue; undefined when it isn't waiting. */
  withdraw(id: string): QueuedJob | undefined {
    const index = this.waiting.findIndex((job) => job.id === id);
    if (index === -1) return undefined;
    const [job] = this.waiting.splice(index, 1);
    if (job !== undefined) this.time.remove(job.load);
    return job;
  }

  /** Found from the end: most jobs come last. */
  private insert(job: QueuedJob): void {
    const before = this.waiting.findLastIndex(
      ({ priority, place, sequence }) =>
        priority > job.priority ||
        (priority === job.priority &&
          (place < job.place || (place === job.place && sequence < job.sequence))),
    );
    this.waiting.splice(before + 1, 0, job);
    this.time.add(job.load);
    for (const wake of this.wakers) wake();
  }
}
