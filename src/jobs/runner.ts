/** Takes jobs from the queue, gives each to the engine that should have it, and tells the world. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { JobEvent } from '../engine-process/messages.js';
import type { JobTask } from '../engine-process/task.js';
import { ActiveJob } from './active-job.js';
import { clientKey } from './client-rules.js';
import { AttemptFolder } from './attempt-folder.js';
import type { DeviceHealth } from './device-health.js';
import type { AttemptEnd, EngineHost, JobBounds } from './engine-host.js';
import type { Estimates } from './estimates.js';
import type { JobNotices } from './events.js';
import type { JobOutcome, QueuedJob } from './job.js';
import type { BegunJob } from './journal-database.js';
import type { Journal } from './journal.js';
import type { PhaseTimes } from './phase-clock.js';
import { Placement } from './placement.js';
import type { JobQueue } from './queue.js';

/** Attempts at a job whose engine dies under it. */
const MAX_ATTEMPTS = 3;

/** Daemons that may die while they run a job, before the job is suspected. */
const MAX_INTERRUPTIONS = 10;

/** Seconds between attempts to write to a data folder that refuses: a full disk, say. */
const WRITE_RETRY_SECONDS = 5;

/** What timers can count to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const CANCELLED = 'Job cancelled';

export interface RunnerOptions {
  readonly queue: JobQueue;
  readonly journal: Pick<Journal, 'begin' | 'requeue' | 'finish' | 'amend' | 'recordTimes'>;
  /** One a device; each has one job at a time. */
  readonly engines: readonly EngineHost[];
  readonly notices: JobNotices;
  readonly estimates: Estimates;
  readonly health: DeviceHealth;
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

/** A job whose engine died, and which waits for another one. */
interface Interrupted {
  readonly active: ActiveJob;
  /** How many there were. */
  readonly attempts: number;
  /** Which engine died under it last. */
  readonly diedOn: number;
}

export class Runner {
  /** By engine. */
  private readonly active = new Map<number, ActiveJob>();
  /** By the job's sequence; they are in the queue. */
  private readonly interruptedJobs = new Map<number, Interrupted>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly placement = new Placement();
  private impatience: NodeJS.Timeout | undefined;
  private working = false;
  private interrupted = false;
  private fail: (error: unknown) => void = () => undefined;

  constructor(private readonly options: RunnerOptions) {}

  /** The jobs that run, in the order of the engines. */
  get running(): readonly RunningJob[] {
    return [...this.active]
      .sort(([a], [b]) => a - b)
      .map(([engine, { job, secondsLeft }]) => ({ job, engine, secondsLeft }));
  }

  /** Works until `signal` is aborted; then ends after the running jobs, or after `interrupt` put them back. */
  async work(signal: AbortSignal): Promise<void> {
    const { queue } = this.options;
    const stopListening = queue.onArrival(() => {
      this.handOut();
    });
    this.working = !signal.aborted;
    try {
      await new Promise<void>((resolve, reject) => {
        this.fail = reject;
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => {
          resolve();
        });
        this.handOut();
      });
      this.working = false;
      while (this.underWay.size > 0) await Promise.all(this.underWay);
      for (const { active } of this.interruptedJobs.values())
        this.options.notices.tell({ kind: 'returned', job: active.job });
    } finally {
      this.working = false;
      clearTimeout(this.impatience);
      stopListening();
    }
  }

  /** Gives the jobs that should begin now to engines; to be called when an engine may have become free. */
  handOut(): void {
    const { queue } = this.options;
    while (this.working) {
      const next = this.next();
      if (next === undefined) break;
      // From here to `this.active` nothing waits, so that a cancellation finds the job in one place or the other.
      queue.take(next.job);
      const run = this.run(next.job, next.engine);
      this.underWay.add(run);
      run
        .catch((error: unknown) => {
          this.fail(error);
        })
        .finally(() => {
          this.underWay.delete(run);
          this.options.onJobOver();
          this.handOut();
        });
    }
    this.waitForImpatience();
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
    this.interruptedJobs.delete(job.sequence);
    this.placement.forget(job.sequence);
    this.tellOver(job, outcome);
  }

  /** Ends the engines of running jobs; these go back to the queue, and the attempt doesn't count. */
  interrupt(): void {
    this.interrupted = true;
    for (const engine of this.options.engines) void engine.stop(0);
  }

  private next(): { readonly job: QueuedJob; readonly engine: number } | undefined {
    const { queue, engines, estimates } = this.options;
    if (queue.size === 0 || this.active.size === engines.length) return undefined;
    const running = new Map<string, number>();
    for (const { job } of this.active.values()) {
      const key = clientKey(job.client);
      running.set(key, (running.get(key) ?? 0) + 1);
    }
    const loads = engines.flatMap((_, engine) => {
      const active = this.active.get(engine);
      if (active !== undefined) return [{ engine, isFree: false, secondsLeft: active.secondsLeft }];
      return this.canBegin(engine) ? [{ engine, isFree: true, secondsLeft: 0 }] : [];
    });
    return this.placement.next(queue.candidates(running), loads, {
      seconds: ({ load }, engine) => estimates.secondsOn(load, engine),
      mayRun: ({ sequence }, engine) =>
        this.interruptedJobs.get(sequence)?.diedOn !== engine || !this.hasOtherThan(engine),
    });
  }

  /** The only engine takes a job before it is ready, and the job hears why it never was. Others wait for their turn. */
  private canBegin(engine: number): boolean {
    const { engines, health } = this.options;
    if (engines.length === 1) return true;
    return engines[engine]?.info.state === 'ready' && health.setAside(engine) === undefined;
  }

  /** Whether there is an engine besides that works. */
  private hasOtherThan(engine: number): boolean {
    const { engines, health } = this.options;
    return engines.some((host, other) => {
      if (other === engine || health.setAside(other) !== undefined) return false;
      return host.info.state === 'ready' || this.active.has(other);
    });
  }

  /** A job that waits for a busy engine doesn't wait longer than was expected. */
  private waitForImpatience(): void {
    clearTimeout(this.impatience);
    const milliseconds = this.placement.impatientIn;
    if (!this.working || milliseconds === undefined) return;
    this.impatience = setTimeout(
      () => {
        this.handOut();
      },
      Math.min(milliseconds + 1, LONGEST_TIMER_MS),
    ).unref();
  }

  private async run(job: QueuedJob, engine: number): Promise<void> {
    const { journal } = this.options;
    const resumed = this.interruptedJobs.get(job.sequence);
    this.interruptedJobs.delete(job.sequence);
    const active = resumed?.active ?? this.activeJob(job, engine);
    active.engine = engine;
    this.active.set(engine, active);
    let moves = false;
    try {
      const attempt = (resumed?.attempts ?? 0) + 1;
      const begun = await this.persist(() => journal.begin(job.id, attempt, Date.now()));
      const outcome = await this.outcomeOf(active, begun, attempt);
      if (outcome === 'elsewhere') moves = true;
      else if (outcome === undefined) await this.putBack(job);
      else {
        active.settling = true;
        await this.settle(active, outcome);
      }
    } finally {
      this.active.delete(engine);
    }
    // Once its engine is free: it may be the one that takes it.
    if (moves) this.options.queue.putBack(job);
  }

  private activeJob(job: QueuedJob, engine: number): ActiveJob {
    const { estimates, notices } = this.options;
    const active: ActiveJob = new ActiveJob({
      job,
      engine,
      estimates,
      notices,
      onTimes: (times) => {
        this.learn(job, times, active.engine);
      },
    });
    return active;
  }

  private async outcomeOf(
    active: ActiveJob,
    begun: BegunJob | undefined,
    attempt: number,
  ): Promise<JobOutcome | 'elsewhere' | undefined> {
    const { job } = active;
    // Only a cancellation can have ended it before it began.
    if (begun === undefined) return cancellation(active);
    if (job.interruptions > MAX_INTERRUPTIONS) {
      return active.outcome('failed', {
        error: `given up: ${job.interruptions} daemons ended while they ran this job`,
      });
    }
    const { metadata, told } = begun;
    if (attempt === 1) this.options.notices.tell({ kind: 'started', job, at: Date.now(), metadata, told });
    else active.beginAttempt();
    return this.attempts(active, begun, attempt);
  }

  /** Runs a job until it is over; undefined when the daemon stops before that, and `elsewhere` when another engine should try. */
  private async attempts(
    active: ActiveJob,
    begun: BegunJob,
    first: number,
  ): Promise<JobOutcome | 'elsewhere' | undefined> {
    const { journal, health, log } = this.options;
    const { engine } = active;
    for (let attempt = first; ; attempt++) {
      if (attempt > first) {
        active.beginAttempt();
        await this.persist(() => journal.begin(active.id, attempt, Date.now()));
      }
      const end = await this.attempt(active, begun.task);
      if (end.kind === 'done' || end.kind === 'failed') health.worked(engine);
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
      log.warn({ job: active.id, engine, attempt, cause }, 'attempt failed, trying again');
      // What kills one engine may be that engine's device.
      if (attempt === first) health.failed(engine, cause);
      if (!this.hasOtherThan(engine)) continue;
      // Nobody takes it any more; the next daemon does.
      if (!this.working) return undefined;
      await this.persist(() => journal.requeue(active.id, attempt));
      // It may have been meanwhile.
      if (active.cancellation.signal.aborted) return cancellation(active);
      this.interruptedJobs.set(active.job.sequence, { active, attempts: attempt, diedOn: engine });
      return 'elsewhere';
    }
  }

  private async attempt(active: ActiveJob, task: JobTask): Promise<AttemptEnd> {
    const { workFolder, bounds, log } = this.options;
    const { sequence } = active.job;
    const folder = await this.persist(() => AttemptFolder.create(workFolder, sequence, log));
    active.folder = folder;
    const onEvent = (event: JobEvent) => {
      if (event.type === 'preview') folder.hasPreviews = true;
      this.see(active, event);
    };
    const host = this.options.engines[active.engine];
    if (host === undefined) throw new Error(`there is no engine ${active.engine}`);
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
