/** Takes jobs from the queue, gives each to an engine that is free, and tells the world. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { JobEvent } from '../engine-process/messages.js';
import type { JobTask } from '../engine-process/task.js';
import { ActiveJob } from './active-job.js';
import { AttemptFolder } from './attempt-folder.js';
import type { AttemptEnd, EngineHost, JobBounds } from './engine-host.js';
import type { Estimates } from './estimates.js';
import type { JobNotices } from './events.js';
import type { JobOutcome, QueuedJob } from './job.js';
import type { BegunJob } from './journal-database.js';
import type { Journal } from './journal.js';
import type { PhaseTimes } from './phase-clock.js';
import type { JobQueue } from './queue.js';

/** Attempts at a job whose engine dies under it. */
const MAX_ATTEMPTS = 3;

/** Daemons that may die while they run a job, before the job is suspected. */
const MAX_INTERRUPTIONS = 10;

/** Seconds between attempts to write to a data folder that refuses: a full disk, say. */
const WRITE_RETRY_SECONDS = 5;

const CANCELLED = 'Job cancelled';

export interface RunnerOptions {
  readonly queue: JobQueue;
  readonly journal: Pick<Journal, 'begin' | 'requeue' | 'finish' | 'amend' | 'recordTimes'>;
  /** One a device; each has one job at a time. */
  readonly engines: readonly EngineHost[];
  readonly notices: JobNotices;
  readonly estimates: Estimates;
  readonly log: Logger;
  /** Each attempt has a folder of its own below. */
  readonly workFolder: string;
  readonly bounds: () => JobBounds;
  /** Told after each job. */
  readonly onJobOver: () => void;
}

/** What can be told of a job that runs. */
export interface RunningJob {
  readonly job: QueuedJob;
  /** Which engine has it. */
  readonly engine: number;
  readonly secondsLeft: number;
}

export class Runner {
  /** By engine. */
  private readonly active = new Map<number, ActiveJob>();
  private interrupted = false;

  constructor(private readonly options: RunnerOptions) {}

  /** The jobs that run, in the order of the engines. */
  get running(): readonly RunningJob[] {
    return [...this.active]
      .sort(([a], [b]) => a - b)
      .map(([engine, { job, secondsLeft }]) => ({ job, engine, secondsLeft }));
  }

  /** Works until `signal` is aborted; then ends after the running jobs, or after `interrupt` put them back. */
  async work(signal: AbortSignal): Promise<void> {
    await Promise.all(this.options.engines.map((host, engine) => this.serve(host, engine, signal)));
  }

  /**
   * Cancels a running job: durable on return, and over within one step. False when none of that id runs, or it is over
   * already.
   */
  async cancel(id: string): Promise<boolean> {
    const active = [...this.active.values()].find((each) => each.id === id);
    if (active === undefined || active.settling) return false;
    if (!active.isCancelled) {
      const isFirst = await this.options.journal.finish(id, cancellation(active), Date.now());
      if (!isFirst) return false;
    }
    active.cancellation.abort();
    return true;
  }

  /** Ends a job that waited. Resolves once that is durable; rejects when it can't be made so now. */
  async cancelWaiting(job: QueuedJob): Promise<void> {
    const outcome: JobOutcome = { state: 'cancelled', outputs: [], error: CANCELLED, durationSeconds: 0 };
    await this.options.journal.finish(job.id, outcome, Date.now());
    this.tellOver(job, outcome);
  }

  /** Ends the engines of running jobs; these go back to the queue, and the attempt doesn't count. */
  interrupt(): void {
    this.interrupted = true;
    for (const engine of this.options.engines) void engine.stop(0);
  }

  /** Gives one engine job after job. */
  private async serve(host: EngineHost, engine: number, signal: AbortSignal): Promise<void> {
    const { queue, onJobOver } = this.options;
    for (;;) {
      await queue.untilWaiting(signal);
      if (signal.aborted) return;
      // From here to `this.active` nothing waits, so that a cancellation finds the job in one place or the other.
      const job = queue.take();
      if (job === undefined) continue;
      await this.run(job, host, engine);
      onJobOver();
    }
  }

  private async run(job: QueuedJob, host: EngineHost, engine: number): Promise<void> {
    const { journal, estimates, notices } = this.options;
    const active = new ActiveJob({
      job,
      engine,
      estimates,
      notices,
      onTimes: (times) => {
        this.learn(job, times, engine);
      },
    });
    this.active.set(engine, active);
    try {
      const begun = await this.persist(() => journal.begin(job.id, 1, Date.now()));
      const outcome = await this.outcomeOf(active, begun, host);
      if (outcome === undefined) await this.putBack(job);
      else {
        active.settling = true;
        await this.settle(active, outcome);
      }
    } finally {
      this.active.delete(engine);
    }
  }

  private async outcomeOf(
    active: ActiveJob,
    begun: BegunJob | undefined,
    host: EngineHost,
  ): Promise<JobOutcome | undefined> {
    const { job } = active;
    // Only a cancellation can have ended it before it began.
    if (begun === undefined) return cancellation(active);
    if (job.interruptions > MAX_INTERRUPTIONS) {
      return active.outcome('failed', {
        error: `given up: ${job.interruptions} daemons ended while they ran this job`,
      });
    }
    const { task, metadata, told } = begun;
    this.options.notices.tell({ kind: 'started', job, at: Date.now(), metadata, told });
    return this.attempts(active, task, host);
  }

  /** Runs a job until it is over; undefined when the daemon stops before that. */
  private async attempts(
    active: ActiveJob,
    task: JobTask,
    host: EngineHost,
  ): Promise<JobOutcome | undefined> {
    const { journal, log } = this.options;
    for (let attempt = 1; ; attempt++) {
      if (attempt > 1) {
        active.beginAttempt();
        await this.persist(() => journal.begin(active.id, attempt, Date.now()));
      }
      const end = await this.attempt(active, task, host);
      if (active.isCancelled) return cancellation(active, end);
      if (end.kind === 'done') return active.outcome('completed', { outputs: end.outputs });
      if (end.kind === 'failed') {
        const { outputs, error, failure } = end;
        return active.outcome('failed', { outputs, error, ...(failure !== undefined && { failure }) });
      }
      const cause = end.kind === 'died' ? end.cause : 'the engine cancelled it unasked';
      if (this.interrupted) return undefined;
      if (attempt === MAX_ATTEMPTS) {
        return active.outcome('failed', { error: `given up after ${attempt} attempts: ${cause}` });
      }
      log.warn({ job: active.id, attempt, cause }, 'attempt failed, trying again');
    }
  }

  private async attempt(active: ActiveJob, task: JobTask, host: EngineHost): Promise<AttemptEnd> {
    const { workFolder, bounds, log } = this.options;
    const { sequence } = active.job;
    const folder = await this.persist(() => AttemptFolder.create(workFolder, sequence, log));
    active.folder = folder;
    const onEvent = (event: JobEvent) => {
      if (event.type === 'preview') folder.hasPreviews = true;
      this.see(active, event);
    };
    const end = await host.run(
      { id: active.id, task, workFolder: folder.path, onEvent, signal: active.cancellation.signal },
      bounds(),
    );
    if (end.kind === 'died') await folder.undo();
    return end;
  }

  private see(active: ActiveJob, event: JobEvent): void {
    active.see(event);
    if (event.type === 'warning') {
      this.options.log.warn({ job: active.id, text: event.text }, 'warning from the workflow');
    }
  }

  private learn({ load }: QueuedJob, times: PhaseTimes, engine: number): void {
    const { journal, estimates, log } = this.options;
    journal.recordTimes(estimates.learn(load, times, engine)).catch((error: unknown) => {
      log.warn({ err: error }, 'a measurement could not be kept');
    });
  }

  private async putBack(job: QueuedJob): Promise<void> {
    const { journal, queue, notices, log } = this.options;
    await journal.requeue(job.id, 0);
    queue.putBack(job);
    notices.tell({ kind: 'returned', job });
    log.info({ job: job.id }, 'job goes back to the queue');
  }

  /** Durable first, then told: whoever hears of an outcome can rely on it, and nobody hears of it twice. */
  private async settle({ job, folder }: ActiveJob, ending: JobOutcome): Promise<void> {
    const { journal } = this.options;
    const isFirst = await this.persist(() => journal.finish(job.id, ending, Date.now()));
    // A cancellation may have come first, and was confirmed to whoever asked for it; what was done until then goes with it.
    const outcome = isFirst ? ending : ((await this.persist(() => journal.amend(job.id, ending))) ?? ending);
    await folder?.release(outcome.state);
    this.tellOver(job, outcome);
  }

  private tellOver(job: QueuedJob, outcome: JobOutcome): void {
    const { notices, log } = this.options;
    notices.tell({ kind: 'over', job, outcome });
    const { state, error, durationSeconds } = outcome;
    log.info({ job: job.id, state, error, duration_s: durationSeconds }, 'job over');
  }

  /** An outcome that can't be written yet is kept and tried again: the job must not be lost, nor told before. */
  private async persist<Result>(write: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (this.interrupted) throw error;
        this.options.log.error({ err: error }, 'the data folder could not be written; trying again');
        await delay(WRITE_RETRY_SECONDS * 1000);
      }
    }
  }
}

function cancellation(active: ActiveJob, end?: AttemptEnd): JobOutcome {
  const outputs = end === undefined || end.kind === 'died' ? [] : end.outputs;
  return active.outcome('cancelled', { outputs, error: CANCELLED });
}
