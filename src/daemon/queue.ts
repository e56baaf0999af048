/** The FIFO of accepted jobs: in memory for speed, in the journal for safety. */
import { loadOf, type JobRequest } from '../engine-process/job.js';
import type { WaitingJob } from './journal-database.js';
import type { Journal } from './journal.js';

/** A job that is turned away; the text goes to the client as it is. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

export class JobQueue {
  /** Accepted and durable, oldest first. */
  private readonly waiting: WaitingJob[];
  /** Jobs whose acceptance is on its way to the disk. */
  private arriving = 0;
  private wake: (() => void) | undefined;

  constructor(
    private readonly journal: Pick<Journal, 'accept'>,
    recovered: readonly WaitingJob[],
    private readonly capacity: () => number,
  ) {
    this.waiting = [...recovered];
  }

  /** Jobs that wait or are about to. */
  get size(): number {
    return this.waiting.length + this.arriving;
  }

  /** Jobs in the order in which they will run. */
  get pending(): readonly WaitingJob[] {
    return this.waiting;
  }

  /** Resolves once the job is durable. Throws `Refusal` when the queue is full or the id was used before. */
  async accept(id: string, request: JobRequest): Promise<void> {
    if (this.size >= this.capacity()) throw new Refusal('Queue full');
    this.arriving++;
    try {
      if (!(await this.journal.accept(id, request, Date.now()))) {
        throw new Refusal(
          `Invalid parameter: id: there is or was a job ${id}; status with job_id tells of it`,
        );
      }
    } finally {
      this.arriving--;
    }
    this.waiting.push({ id, load: loadOf(request), interruptions: 0 });
    this.wake?.();
  }

  /** Resolves when a job waits, or `signal` is aborted. */
  async untilWaiting(signal: AbortSignal): Promise<void> {
    const wakeOnAbort = () => this.wake?.();
    signal.addEventListener('abort', wakeOnAbort);
    while (this.waiting.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    signal.removeEventListener('abort', wakeOnAbort);
    this.wake = undefined;
  }

  /** Takes the oldest job out of the queue. */
  take(): WaitingJob | undefined {
    return this.waiting.shift();
  }

  /** Puts a job back at the head. */
  putBack(job: WaitingJob): void {
    this.waiting.unshift(job);
  }

  /** Takes a waiting job out of the queue; undefined when it isn't waiting. */
  withdraw(id: string): WaitingJob | undefined {
    const index = this.waiting.findIndex((job) => job.id === id);
    return index === -1 ? undefined : this.waiting.splice(index, 1)[0];
  }
}
