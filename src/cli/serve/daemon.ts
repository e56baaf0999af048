/** The daemon process: jobs, and the fronts that clients reach them by. It does no inference, and nothing here waits for any. */
import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import { createChecker, type Checker } from '../../fronts/checker.js';
import type { CheckerSettings } from '../../fronts/checker-worker.js';
import type { Front, FrontDefinition, Premises } from '../../fronts/front.js';
import { FRONTS } from '../../fronts/index.js';
import { Vitals } from '../../fronts/vitals.js';
import { WarmUp } from '../../fronts/warm-up.js';
import { Jobs, type JobsConfiguration } from '../../jobs/jobs.js';
import { openStore } from '../../store/open-store.js';
import { storeSettings } from '../store-settings.js';
import { keepMemorySmall } from './small-memory.js';

/** What may change while the daemon runs. */
export interface DaemonConfiguration {
  readonly premises: Premises;
  readonly checker: CheckerSettings;
  readonly jobs: JobsConfiguration;
}

export interface DaemonOptions {
  /** As they are at the start. */
  readonly settings: Settings;
  /** The engine process's main module. */
  readonly engineEntry: string;
  readonly configuration: DaemonConfiguration;
  /** Every protocol of the daemon's, when left out. */
  readonly fronts?: readonly FrontDefinition[];
  readonly log: Logger;
  /** Told when nothing can be made durable any more; the daemon can't go on. */
  readonly onFatal: (error: Error) => void;
}

export class Daemon {
  private stopped: Promise<void> | undefined;

  private constructor(
    private readonly jobs: Jobs,
    private readonly fronts: readonly Front[],
    private readonly checker: Checker,
    private readonly current: { configuration: DaemonConfiguration },
    private readonly keepBig: () => void,
  ) {}

  /**
   * Takes the data folder, recovers the queue, opens the fronts and begins to work. Rejects when another daemon holds the folder
   * or an address can't be listened at; then nothing is left behind.
   */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const { settings, engineEntry, fronts: definitions = FRONTS, log, onFatal } = options;
    const current = { configuration: options.configuration };
    const premises = () => current.configuration.premises;
    const jobs = await Jobs.open({
      dataFolder: settings.data,
      engineEntry,
      configuration: options.configuration.jobs,
      log,
      onFatal,
      renew: (old) => {
        const front = definitions.find(({ name }) => name === old.front);
        if (front?.renew === undefined) throw new Error(`this version has no ${old.front} jobs`);
        return front.renew(old, premises());
      },
    });
    const keepBig = keepMemorySmall();
    const checker = createChecker({ settings: () => current.configuration.checker, log });
    const warmUp = new WarmUp(jobs, settings.warm);
    const store = openStore(storeSettings(settings));
    const vitals = new Vitals();
    const fronts: Front[] = [];
    try {
      for (const front of definitions)
        fronts.push(await front.open({ jobs, settings, premises, checker, store, warmUp, vitals, log }));
    } catch (cause) {
      keepBig();
      await closeAll(fronts, checker, jobs);
      throw cause;
    }
    jobs.begin();
    void warmUp.begin(premises());
    return new Daemon(jobs, fronts, checker, current, keepBig);
  }

  /** Where it can be reached. */
  get addresses(): Readonly<Record<string, string>> {
    return Object.assign({}, ...this.fronts.map(({ addresses }) => addresses)) as Record<string, string>;
  }

  /** Jobs that wait, and the ids of those that run. */
  get activity(): { readonly waiting: number; readonly running: readonly string[] } {
    return { waiting: this.jobs.size, running: this.jobs.running.map(({ job }) => job.id) };
  }

  /** Takes what has changed without a restart. */
  reconfigure(configuration: DaemonConfiguration): void {
    this.current.configuration = configuration;
    this.jobs.reconfigure(configuration.jobs);
  }

  /**
   * Refuses new jobs, lets the running ones finish within `graceSeconds` (else they go back to the queue), and lets go of
   * everything. A second call with less grace shortens the first.
   */
  async stop(graceSeconds: number): Promise<void> {
    const idle = this.jobs.stop(graceSeconds);
    this.stopped ??= idle.then(() => {
      this.keepBig();
      return closeAll(this.fronts, this.checker, this.jobs);
    });
    await this.stopped;
  }
}

/** Clients are answered until the last; then nobody asks for jobs any more. */
async function closeAll(fronts: readonly Front[], checker: Checker, jobs: Jobs): Promise<void> {
  for (const front of fronts.toReversed()) await front.close();
  await checker.close();
  await jobs.close();
}
