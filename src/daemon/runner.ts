/** Takes jobs from the queue one after the other, gives each to the engine, and tells the world. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { JobLoad, JobOutcome, JobRequest } from '../engine-process/job.js';
import type { JobReport } from '../engine-process/messages.js';
import type { UpdateSocket } from '../wire/update-socket.js';
import type { EngineHost, EngineResult, JobBounds } from './engine-host.js';
import type { Estimates } from './estimates.js';
import type { WaitingJob } from './journal-database.js';
import type { Journal } from './journal.js';
import { JobProgress } from './job-progress.js';
import type { JobQueue } from './queue.js';

/** Attempts at a job whose engine dies under it. */
const MAX_ATTEMPTS = 3;

/** Daemons that may die while they run a job, before the job is suspected. */
const MAX_INTERRUPTIONS = 10;

/** Previews outlive their job by so long, for clients that are still reading them. */
const KEEP_PREVIEWS_MS = 30_000;

/** Seconds between attempts to write to a data folder that refuses: a full disk, say. */
const WRITE_RETRY_SECONDS = 5;

const CANCELLED = 'Job cancelled';

export interface RunnerOptions {
  readonly queue: JobQueue;
  readonly journal: Journal;
  readonly engine: EngineHost;
  readonly updates: Pick<UpdateSocket, 'publish'>;
  readonly estimates: Estimates;
  readonly log: Logger;
  /** Each attempt has a folder of its own below. */
  readonly workFolder: string;
  readonly bounds: () => JobBounds;
  /** Told after each job. */
  readonly onJobOver: () => void;
}

/** What can be told of the job that runs. */
export interface RunningJob {
  readonly id: string;
  readonly percent: number;
  readonly secondsLeft: number;
}

/** The job that the engine has. */
interface ActiveJob {
  readonly id: string;
  readonly load: JobLoad;
  readonly began: number;
  readonly progress: JobProgress;
  readonly cancellation: AbortController;
  /** Its outcome is on its way to the journal; too late to cancel. */
  settling: boolean;
}

export class Runner {
  private active: ActiveJob | undefined;
  private interrupted = false;

  constructor(private readonly options: RunnerOptions) {}

  /** The job that runs, and how far it is. */
  get running(): RunningJob | undefined {
    const { active } = this;
    if (active === undefined) return undefined;
    const { id, progress, cancellation } = active;
    const ends = cancellation.signal.aborted;
    return { id, percent: progress.percentDone, secondsLeft: ends ? 0 : progress.remainingSeconds() };
  }

  /** Works until `signal` is aborted; then ends after the running job, or after `interrupt` put it back. */
  async work(signal: AbortSignal): Promise<void> {
    const { queue, onJobOver } = this.options;
    for (;;) {
      await queue.untilWaiting(signal);
      if (signal.aborted) return;
      // From here to `this.active` nothing waits, so that a cancellation finds the job in one place or the other.
      const job = queue.take();
      if (job === undefined) continue;
      await this.run(job);
      onJobOver();
    }
  }

  /**
   * Cancels the running job: durable on return, and over within one step. False when it is another one, or over already.
   */
  async cancel(id: string): Promise<boolean> {
    const { active } = this;
    if (active?.id !== id || active.settling) return false;
    const cancelled = active.cancellation.signal.aborted;
    if (!cancelled && !(await this.options.journal.finish(id, cancellation(active), Date.now())))
      return false;
    active.cancellation.abort();
    return true;
  }

  /** Ends a job that waited. Resolves once that is durable. */
  async cancelWaiting(job: WaitingJob): Promise<void> {
    await this.settle(job.id, { state: 'cancelled', error: CANCELLED, durationSeconds: 0 });
  }

  /** Ends the running job's engine; the job goes back to the queue, and the attempt doesn't count. */
  interrupt(): void {
    this.interrupted = true;
    void this.options.engine.stop(0);
  }

  private async run(job: WaitingJob): Promise<void> {
    const { journal, estimates } = this.options;
    const active: ActiveJob = {
      id: job.id,
      load: job.load,
      began: performance.now(),
      progress: new JobProgress(job.id, job.load, estimates.forecast(job.load)),
      cancellation: new AbortController(),
      settling: false,
    };
    this.active = active;
    try {
      const request = await this.persist(() => journal.begin(job.id, 1));
      const outcome = await this.outcomeOf(active, request, job.interruptions);
      if (outcome === undefined) await this.putBack(job);
      else await this.conclude(active, outcome);
    } finally {
      this.active = undefined;
    }
  }

  private async outcomeOf(
    active: ActiveJob,
    request: JobRequest | undefined,
    interruptions: number,
  ): Promise<JobOutcome | undefined> {
    // Only a cancellation can have ended it before it began.
    if (request === undefined) return cancellation(active);
    if (interruptions > MAX_INTERRUPTIONS) {
      return failure(active, `given up: ${interruptions} daemons ended while they ran this job`);
    }
    return this.attempts(active, request);
  }

  /** Runs a job until it is over; undefined when the daemon stops before that. */
  private async attempts(active: ActiveJob, request: JobRequest): Promise<JobOutcome | undefined> {
    const { journal, updates, log } = this.options;
    updates.publish({ type: 'job_started', job_id: active.id, timestamp: Math.floor(Date.now() / 1000) });
    for (let attempt = 1; ; attempt++) {
      if (attempt > 1) await this.persist(() => journal.begin(active.id, attempt));
      const result = await this.attempt(active, request);
      if (active.cancellation.signal.aborted) return cancellation(active);
      if (result.kind === 'done') {
        return {
          state: 'completed',
          imagePath: result.imagePath,
          durationSeconds: secondsSince(active.began),
        };
      }
      if (result.kind === 'failed') return failure(active, result.error);
      const cause = result.kind === 'died' ? result.cause : 'the engine cancelled it unasked';
      if (this.interrupted) return undefined;
      if (attempt === MAX_ATTEMPTS) return failure(active, `given up after ${attempt} attempts: ${cause}`);
      log.warn({ job: active.id, attempt, cause }, 'attempt failed, trying again');
    }
  }

  private async attempt(active: ActiveJob, request: JobRequest): Promise<EngineResult> {
    const { engine, workFolder, bounds } = this.options;
    const { id, cancellation } = active;
    const saved: string[] = [];
    let previews = 0;
    const folder = await this.persist(async () => {
      await mkdir(workFolder, { recursive: true });
      return mkdtemp(join(workFolder, 'job-'));
    });
    const onReport = (report: JobReport) => {
      if (report.kind === 'preview') previews++;
      if (report.kind === 'saved') saved.push(report.path);
      else this.tell(active, report);
    };
    const result = await engine.run(
      { id, request, workFolder: folder, onReport, signal: cancellation.signal },
      bounds(),
    );
    if (result.kind === 'done' && previews > 0) {
      this.removeLater(folder);
      return result;
    }
    await this.remove(folder);
    // Another attempt draws the same images again.
    if (result.kind === 'died') await Promise.all(saved.map(this.remove));
    return result;
  }

  /** A function of its own, so that the timer keeps nothing of the job but the folder's name. */
  private removeLater(folder: string): void {
    setTimeout(() => void this.remove(folder), KEEP_PREVIEWS_MS).unref();
  }

  /** Never rejects: a disk that refuses is no reason to end. */
  private readonly remove = async (path: string): Promise<void> => {
    await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
      this.options.log.warn({ err: error, path }, 'a file could not be removed');
    });
  };

  private tell({ id, load, progress }: ActiveJob, report: JobReport): void {
    const { updates, estimates, journal, log } = this.options;
    switch (report.kind) {
      case 'progress': {
        const update = progress.update(report);
        if (update !== undefined) updates.publish(update);
        break;
      }
      case 'preview':
        updates.publish({ type: 'preview', job_id: id, image_path: report.path, step: report.step });
        break;
      case 'times':
        journal.recordStageTimes(estimates.learn(load, report.times)).catch((error: unknown) => {
          log.warn({ err: error }, 'a measurement could not be kept');
        });
        break;
      case 'warning':
        log.warn({ job: id, text: report.text }, 'warning from the workflow');
        break;
      case 'saved':
        break;
    }
  }

  private async putBack(job: WaitingJob): Promise<void> {
    await this.options.journal.requeue(job.id, 0);
    this.options.queue.putBack(job);
    this.options.log.info({ job: job.id }, 'job goes back to the queue');
  }

  private async conclude(active: ActiveJob, outcome: JobOutcome): Promise<void> {
    active.settling = true;
    await this.settle(active.id, outcome, active.progress);
  }

  /** Durable first, then told: whoever hears of an outcome can rely on it, and nobody hears of it twice. */
  private async settle(id: string, ending: JobOutcome, progress?: JobProgress): Promise<void> {
    const { journal, updates, log } = this.options;
    const isFirst = await this.persist(() => journal.finish(id, ending, Date.now()));
    // A cancellation may have come first, and was confirmed to whoever asked for it.
    const outcome = isFirst ? ending : ((await this.persist(() => journal.find(id)))?.outcome ?? ending);
    const { state, imagePath, error, durationSeconds } = outcome;
    const success = state === 'completed';
    if (success && progress !== undefined) updates.publish(progress.complete());
    updates.publish({ type: 'job_finished', job_id: id, success, duration_s: durationSeconds });
    if (imagePath === undefined) {
      updates.publish({ type: 'job_error', job_id: id, error: error ?? state });
    } else {
      updates.publish({
        type: 'job_complete',
        job_id: id,
        image_path: imagePath,
        duration_s: durationSeconds,
      });
    }
    log.info({ job: id, state, error, duration_s: durationSeconds }, 'job over');
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

function cancellation(active: ActiveJob): JobOutcome {
  return { state: 'cancelled', error: CANCELLED, durationSeconds: secondsSince(active.began) };
}

function failure(active: ActiveJob, error: string): JobOutcome {
  return { state: 'failed', error, durationSeconds: secondsSince(active.began) };
}

function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}
