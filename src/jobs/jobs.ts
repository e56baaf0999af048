/**
 * The jobs of one data folder: a queue that survives a crash, and the engine processes that work it off. Fronts submit to it,
 * ask it, and hear from it; it knows none of them. Nothing here does inference, or waits for any.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { CountedWork } from '../engine/picture-work.js';
import type { EngineSettings } from '../engine-process/messages.js';
import { ClientRates, type ClientRules } from './client-rules.js';
import { DeviceHealth } from './device-health.js';
import { EngineHost, type EngineState, type JobBounds } from './engine-host.js';
import { EngineSpeeds } from './engine-speeds.js';
import { Estimates, type MeasuredSummary } from './estimates.js';
import { JobNotices, type JobListener } from './events.js';
import type {
  Job,
  JobLoad,
  JobQuery,
  JobRecord,
  JobSummary,
  QueuedJob,
  StoredJob,
  SummaryQuery,
} from './job.js';
import type { OldJob } from './journal-database.js';
import { JournalError, type Journal } from './journal.js';
import { closeAll, openDataFolder, type Closer } from './open-data-folder.js';
import { Listeners } from './listeners.js';
import { JobQueue, Refusal } from './queue.js';
import { Runner, type RunningJob } from './runner.js';
import { StartTurns } from './start-turns.js';

export interface SubmittedJob {
  readonly job: QueuedJob;
  /** Until it should be done. */
  readonly seconds: number;
}

/** What may change while it works. */
export interface JobsConfiguration {
  /** One engine process each. Their number can't change. */
  readonly engines: readonly EngineSettings[];
  readonly queueCapacity: number;
  readonly clients: ClientRules;
  readonly bounds: JobBounds;
  /** Finished jobs are forgotten after so many seconds, and beyond so many. */
  readonly keepSeconds: number;
  readonly keepJobs: number;
}

export interface JobsOptions {
  readonly dataFolder: string;
  /** The engine process's main module. */
  readonly engineEntry: string;
  readonly configuration: JobsConfiguration;
  readonly log: Logger;
  /** What an older journal's job is today. What it throws is why the job has failed. */
  readonly renew: (old: OldJob) => Job;
  /** Told when nothing can be made durable any more; there is no going on. */
  readonly onFatal: (error: Error) => void;
}

const PRUNE_INTERVAL_MS = 3_600_000;
const PRUNE_AFTER_JOBS = 1000;
/** Between two lines of the log about a journal that refuses. */
const JOURNAL_FAULT_INTERVAL_MS = 10_000;
/** For an engine to end by itself when no job runs. */
const ENGINE_STOP_MS = 2000;

export class Jobs {
  private readonly stopping = new AbortController();
  private readonly notices: JobNotices;
  private readonly queue: JobQueue;
  private readonly engines: readonly EngineHost[];
  private readonly health: DeviceHealth;
  private readonly rates = new ClientRates();
  private readonly runner: Runner;
  private readonly estimates: Estimates;
  private readonly log: Logger;
  private configuration: JobsConfiguration;
  private working: Promise<void> = Promise.resolve();
  private jobsSincePrune = 0;
  private journalFaultLogged = -Infinity;
  private readonly speeds: EngineSpeeds;
  private readonly room = new Listeners();

  private constructor(
    private readonly options: JobsOptions,
    private readonly journal: Journal,
    known: { readonly waiting: readonly QueuedJob[]; readonly estimates: Estimates },
    private readonly closers: Closer[],
  ) {
    const { configuration, log, engineEntry: entry, dataFolder } = options;
    this.configuration = configuration;
    this.log = log;
    this.estimates = known.estimates;
    this.notices = new JobNotices((error) => {
      log.error({ err: error }, 'fault while telling of a job');
    });
    this.queue = new JobQueue(
      journal,
      known.waiting,
      () => this.configuration.queueCapacity,
      this.estimates,
      () => this.configuration.clients,
    );
    this.health = new DeviceHealth(
      configuration.engines.map(({ device }) => device),
      log,
      () => {
        this.runner.handOut();
        this.room.tell();
      },
    );
    closers.push(() => {
      this.health.close();
    });
    this.speeds = new EngineSpeeds(configuration.engines, this.estimates);
    const turns = new StartTurns();
    this.engines = configuration.engines.map(
      (settings, index) =>
        new EngineHost({
          entry,
          settings,
          turns,
          log,
          onEnd: () => {
            this.estimates.forgetLoaded(index);
          },
          onReady: (speed) => {
            if (speed !== undefined) this.keepSpeed(index, speed);
            this.runner.handOut();
            this.room.tell();
          },
          onStartFailed: (cause) => {
            this.health.failed(index, cause);
          },
        }),
    );
    this.runner = new Runner({
      queue: this.queue,
      journal,
      engines: this.engines,
      notices: this.notices,
      estimates: this.estimates,
      health: this.health,
      log,
      workFolder: join(dataFolder, 'work'),
      bounds: () => this.configuration.bounds,
      onJobOver: () => {
        if (++this.jobsSincePrune >= PRUNE_AFTER_JOBS) this.prune();
        this.room.tell();
      },
    });
  }

  /** Takes the data folder and recovers the queue. Rejects when another daemon holds it; then nothing is left behind. */
  static async open(options: JobsOptions): Promise<Jobs> {
    const closers: Closer[] = [];
    try {
      const { journal, ...known } = await openDataFolder(
        { ...options, engines: options.configuration.engines.length },
        closers,
      );
      return new Jobs(options, journal, known, closers);
    } catch (cause) {
      await closeAll(closers);
      throw cause;
    }
  }

  /** Begins to work. */
  begin(): void {
    for (const engine of this.engines) void engine.warmUp();
    this.working = this.runner.work(this.stopping.signal).catch((error: unknown) => {
      if (this.isStopping) this.log.error({ err: error }, 'stopped with a job under way');
      else this.options.onFatal(error instanceof Error ? error : new Error(String(error)));
    });
    this.prune();
    const pruning = setInterval(() => {
      this.prune();
    }, PRUNE_INTERVAL_MS);
    this.closers.push(() => {
      clearInterval(pruning);
    });
  }

  /** Whether it was told to stop: no new jobs. */
  get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Takes what has changed without a restart; engines are replaced between two jobs where they have to be. */
  reconfigure(configuration: JobsConfiguration): void {
    this.configuration = configuration;
    this.runner.handOut();
    for (const [index, engine] of this.engines.entries()) {
      const settings = configuration.engines[index];
      if (settings !== undefined) engine.configure(settings);
    }
  }

  /** Resolves once the job is durable, with the seconds until it should be done. Throws `Refusal`. */
  async submit(job: Job): Promise<SubmittedJob> {
    this.rates.count(job.client, this.configuration.clients.jobsAMinute);
    const ahead = this.runningSeconds() + this.queue.seconds / this.engines.length;
    const seconds = ahead + this.estimates.seconds(job.load);
    const queued = await this.queue.accept(job).catch((cause: unknown) => {
      throw this.refusalOf(cause);
    });
    this.notices.tell({ kind: 'accepted', job: queued });
    return { seconds, job: queued };
  }

  /** Ends a job, durably on return: one that waits at once, one that runs within a step. False when neither does.
   * Throws `Refusal` when that can't be made durable now. */
  async cancel(id: string): Promise<boolean> {
    const waiting = this.queue.withdraw(id);
    try {
      if (waiting === undefined) return await this.runner.cancel(id);
      await this.runner.cancelWaiting(waiting);
      return true;
    } catch (cause) {
      if (waiting !== undefined) this.queue.putBack(waiting);
      throw this.refusalOf(cause);
    }
  }

  /** Notes how much of a running job its clients may be told is done. False when that can't be made durable now. */
  async noteTold(id: string, share: number): Promise<boolean> {
    try {
      await this.journal.tell(id, share);
      return true;
    } catch {
      return false;
    }
  }

  find(id: string): Promise<JobRecord | undefined> {
    return this.journal.find(id);
  }

  /** Jobs with what they run. */
  list(query: JobQuery): Promise<readonly StoredJob[]> {
    return this.journal.list(query);
  }

  /** Jobs in a line each, the newest first. */
  summaries(query: SummaryQuery): Promise<readonly JobSummary[]> {
    return this.journal.summaries(query);
  }

  /** Those of these ids that are known, in no order. */
  recall(ids: readonly string[]): Promise<readonly StoredJob[]> {
    return this.journal.recall(ids);
  }

  /** How many jobs a list without a limit has. */
  count(which: JobQuery['which']): Promise<number> {
    return this.journal.count(which);
  }

  /** Forgets jobs that are over, those of these ids or all. */
  forget(ids: readonly string[] | 'all'): Promise<void> {
    return this.journal.forget(ids);
  }

  /** Whom the ends of jobs are kept for, over restarts, until each was told (`delivered`). */
  keepEndsFor(hooks: readonly string[]): Promise<void> {
    return this.journal.setHooks(hooks);
  }

  /** The first job whose end one of them wasn't told yet. */
  undelivered(hook: string): Promise<StoredJob | undefined> {
    return this.journal.undelivered(hook);
  }

  delivered(hook: string, sequence: number): Promise<void> {
    return this.journal.delivered(hook, sequence);
  }

  /** Hears of every job, whoever asked for it; returns what ends that. */
  subscribe(listener: JobListener): () => void {
    return this.notices.subscribe(listener);
  }

  /** Calls back whenever an engine may have become free: after a job, or a start. Returns what ends that. */
  onRoom(listener: () => void): () => void {
    return this.room.add(listener);
  }

  /** Jobs that wait, and how many may. */
  get size(): number {
    return this.queue.size;
  }

  get capacity(): number {
    return this.configuration.queueCapacity;
  }

  get running(): readonly RunningJob[] {
    return this.runner.running;
  }

  /** The first `count` jobs that wait, in the order in which they should begin, with the seconds until each should be done. */
  pending(count: number): readonly { readonly job: QueuedJob; readonly seconds: number }[] {
    let seconds = this.runningSeconds();
    return this.queue.next(count).map((job) => {
      seconds += this.estimates.seconds(job.load) / this.engines.length;
      return { job, seconds };
    });
  }

  /** Means of what was measured. */
  get measured(): MeasuredSummary {
    return this.estimates.summary();
  }

  /** Seconds that a job should take once it runs. */
  estimate(load: JobLoad): number {
    return this.estimates.seconds(load);
  }

  get engineStates(): readonly EngineState[] {
    return this.engines.map(({ info }, index) => {
      const aside = this.health.setAside(index);
      return aside === undefined ? info : { ...info, state: 'set aside', error: aside.cause };
    });
  }

  /** Frees what models and earlier results take in the engines, after the jobs that run: of one model file, or all. */
  freeEngines(model?: string): void {
    for (const engine of this.engines) engine.free(model);
  }

  /** Resident memory of all engine processes. */
  async engineBytes(): Promise<number> {
    const bytes = await Promise.all(this.engines.map((engine) => engine.residentBytes()));
    return bytes.reduce((sum, each) => sum + each, 0);
  }

  /**
   * Refuses new jobs and lets the running ones finish within `graceSeconds`, else they go back to the queue. A second call with
   * less grace shortens the first. `close` is still to be called.
   */
  async stop(graceSeconds: number): Promise<void> {
    this.stopping.abort();
    const grace = setTimeout(() => {
      this.runner.interrupt();
    }, graceSeconds * 1000);
    await this.working;
    await Promise.all(this.engines.map((engine) => engine.stop(ENGINE_STOP_MS)));
    clearTimeout(grace);
  }

  /** Whether nothing is known yet of how long a job of this load takes, so that `expect` would help. */
  isUnknown(load: JobLoad): boolean {
    return this.estimates.isUnknown(load);
  }

  /** Says what a picture of this load takes, as long as none was measured. */
  expect(load: JobLoad, work: CountedWork): void {
    this.estimates.expect(load, work);
  }

  /** Lets go of the data folder. */
  async close(): Promise<void> {
    await closeAll(this.closers);
  }

  /** A disk that is full is told to each client, and to the log now and then. */
  private refusalOf(cause: unknown): unknown {
    if (!(cause instanceof JournalError)) return cause;
    if (performance.now() - this.journalFaultLogged > JOURNAL_FAULT_INTERVAL_MS) {
      this.journalFaultLogged = performance.now();
      this.log.error({ err: cause }, 'requests are refused');
    }
    return new Refusal(cause.message);
  }

  private keepSpeed(engine: number, speed: number): void {
    this.journal.recordTimes(this.speeds.learn(engine, speed)).catch((error: unknown) => {
      this.log.warn({ err: error }, 'the speed of the machine could not be kept');
    });
  }

  /** Until an engine is free, on average. */
  private runningSeconds(): number {
    return this.running.reduce((sum, { secondsLeft }) => sum + secondsLeft, 0) / this.engines.length;
  }

  private prune(): void {
    this.jobsSincePrune = 0;
    const { keepSeconds, keepJobs } = this.configuration;
    this.journal.prune(Date.now() - keepSeconds * 1000, keepJobs).catch((error: unknown) => {
      this.log.error({ err: error }, 'finished jobs could not be pruned');
    });
  }
}
