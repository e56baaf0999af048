/** Accepted jobs in the order in which they will run: in memory for speed, in the journal for safety. */
import type { Estimates } from './estimates.js';
import type { Job, QueuedJob } from './job.js';
import type { Acceptance } from './journal-database.js';
import type { Journal } from './journal.js';
import { NO_RULES, type ClientRules } from './client-rules.js';
import { Listeners } from './listeners.js';
import { Refusal } from './refusal.js';
import { WaitingJobs } from './waiting-jobs.js';
import { WaitingTime } from './waiting-time.js';

export { Refusal } from './refusal.js';

export class JobQueue {
  /** Accepted and durable. */
  private readonly waiting = new WaitingJobs();
  /** Jobs whose acceptance is on its way to the disk. */
  private arriving = 0;
  private readonly time: WaitingTime;
  private readonly arrivals = new Listeners();

  constructor(
    private readonly journal: Pick<Journal, 'accept'>,
    recovered: readonly QueuedJob[],
    private readonly capacity: () => number,
    estimates: Pick<Estimates, 'seconds' | 'version'>,
    private readonly rules: () => ClientRules = () => NO_RULES,
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

  /** Jobs in the order in which they should begin, wherever that is. */
  get pending(): readonly QueuedJob[] {
    return this.next(Infinity);
  }

  /** The first so many of them. */
  next(count: number): readonly QueuedJob[] {
    const jobs: QueuedJob[] = [];
    for (const job of this.waiting.inOrder({ order: this.rules().order }, new Map())) {
      if (jobs.length >= count) break;
      jobs.push(job);
    }
    return jobs;
  }

  /** Jobs that may begin, the first one first. `running` says how many each client has (`clientKey`). */
  candidates(running: ReadonlyMap<string, number>): Iterable<QueuedJob> {
    return this.waiting.inOrder(this.rules(), running);
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

  /** Hears when there is a job more; returns what ends that. */
  onArrival(listener: () => void): () => void {
    return this.arrivals.add(listener);
  }

  /** Takes a job out of the queue, the next one unless told otherwise: it begins. */
  take(job: QueuedJob | undefined = this.next(1)[0]): QueuedJob | undefined {
    if (job !== undefined) this.remove(job, true);
    return job;
  }

  /** Puts a job back into its old place. */
  putBack(job: QueuedJob): void {
    this.insert(job);
  }

  /** Takes a waiting job out of the queue; undefined when it isn't waiting. */
  withdraw(id: string): QueuedJob | undefined {
    const job = this.waiting.find(id);
    if (job !== undefined) this.remove(job, false);
    return job;
  }

  private remove(job: QueuedJob, begins: boolean): void {
    this.waiting.remove(job, begins);
    this.time.remove(job.load);
  }

  private insert(job: QueuedJob): void {
    this.waiting.insert(job);
    this.time.add(job.load);
    this.arrivals.tell();
  }
}
